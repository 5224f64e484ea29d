import com.amazonaws.kinesis.agg.RecordAggregator;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * A line in: records as `key:hash key:data`, key and data in hexadecimal, separated by spaces.
 * A line out: their container in hexadecimal.
 */
public class Aggregate {
    public static void main(String[] arguments) throws Exception {
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            var aggregator = new RecordAggregator();
            for (String record : line.split(" ")) {
                String[] parts = record.split(":", -1);
                String hashKey = parts[1].isEmpty() ? null : parts[1];
                aggregator.addUserRecord(text(parts[0]), hashKey, HexFormat.of().parseHex(parts[2]));
            }
            System.out.println(HexFormat.of().formatHex(aggregator.clearAndGet().toRecordBytes()));
        }
    }

    private static String text(String hex) {
        return new String(HexFormat.of().parseHex(hex), StandardCharsets.UTF_8);
    }
}

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.stream.Collectors;
import software.amazon.kinesis.retrieval.AggregatorUtil;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/**
 * Hands containers to KCL's deaggregator and prints what it makes of them.
 * A line in: the shard's first and last hash key and the containers in base64, separated by spaces.
 * A line out: a JSON array of the records that KCL would deliver, or the name of what it threw.
 */
public class Deaggregate {
    public static void main(String[] arguments) throws Exception {
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        var out = new PrintStream(System.out, false, StandardCharsets.US_ASCII);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ");
            List<KinesisClientRecord> containers = new ArrayList<>();
            for (int at = 2; at < words.length; at++) containers.add(container(words[at], at - 2));
            out.println(deaggregate(containers, words[0], words[1]));
            out.flush();
        }
    }

    private static String deaggregate(List<KinesisClientRecord> containers, String firstHashKey, String lastHashKey) {
        try {
            return new AggregatorUtil().deaggregate(containers, firstHashKey, lastHashKey).stream()
                    .map(Deaggregate::describe).collect(Collectors.joining(",", "[", "]"));
        } catch (Throwable thrown) {
            return "\"" + thrown.getClass().getName() + "\"";
        }
    }

    private static KinesisClientRecord container(String base64, int position) {
        return KinesisClientRecord.builder()
                .data(ByteBuffer.wrap(Base64.getDecoder().decode(base64)))
                .partitionKey("key of the container")
                .sequenceNumber(String.valueOf(position))
                .build();
    }

    private static String describe(KinesisClientRecord member) {
        byte[] data = new byte[member.data().remaining()];
        member.data().get(data);
        String hashKey = member.explicitHashKey();
        return "{\"partitionKey\":\"" + base64(member.partitionKey().getBytes(StandardCharsets.UTF_8))
                + (hashKey == null ? "" : "\",\"explicitHashKey\":\"" + base64(hashKey.getBytes(StandardCharsets.UTF_8)))
                + "\",\"data\":\"" + base64(data)
                + "\",\"sequenceNumber\":\"" + member.sequenceNumber()
                + "\",\"subSequenceNumber\":" + member.subSequenceNumber()
                + ",\"aggregated\":" + member.aggregated() + "}";
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }
}

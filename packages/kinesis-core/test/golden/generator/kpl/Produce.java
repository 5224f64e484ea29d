import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.kinesis.producer.KinesisProducer;
import software.amazon.kinesis.producer.KinesisProducerConfiguration;

/**
 * Sends to an endpoint at the given port; the other argument is a folder for KPL's own program.
 * A line in: records as `key:hash key:data`, key and data in hexadecimal, separated by spaces. A line out once they are put.
 */
public class Produce {
    public static void main(String[] arguments) throws Exception {
        long port = Long.parseLong(arguments[0]);
        var producer = new KinesisProducer(new KinesisProducerConfiguration()
                .setKinesisEndpoint("127.0.0.1").setKinesisPort(port)
                .setStsEndpoint("127.0.0.1").setStsPort(port)
                .setVerifyCertificate(false)
                .setRegion("us-east-1")
                .setCredentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("test", "test")))
                .setTempDirectory(arguments[1])
                .setMetricsLevel("none")
                .setRecordMaxBufferedTime(2_000)
                .setRecordTtl(20_000));
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            for (String record : line.split(" ")) {
                String[] parts = record.split(":", -1);
                String hashKey = parts[1].isEmpty() ? null : parts[1];
                byte[] data = HexFormat.of().parseHex(parts[2]);
                producer.addUserRecord("stream", text(parts[0]), hashKey, ByteBuffer.wrap(data));
                // KPL's threads overtake each other, and the vectors are to have the order in which records were put.
                Thread.sleep(5);
            }
            producer.flushSync();
            System.out.println("flushed");
        }
        producer.destroy();
    }

    private static String text(String hex) {
        return new String(HexFormat.of().parseHex(hex), StandardCharsets.UTF_8);
    }
}

import { Command, Option } from 'commander'
import { above0, delimiter, notEmpty, oneGroup, streamArn, streamName, url, whole } from './flag-values.js'
import { type ProduceCommand, type ProduceFlags, resolveProduceCommand } from './produce-command.js'
import { INPUT_FORMATS } from './record-reader.js'

const EXAMPLES = `
Examples:
  tail -F access.log | kinesis-produce --stream-name logs
  kinesis-produce --stream-name logs --partition-key-regex '^(\\S+)' --ordering per-key access.log.1.gz access.log
  kinesis-produce --stream-name orders --partition-key customer.id orders.ndjson
  kinesis-produce --stream-name orders --format csv --partition-key customer --rate 500 < orders.csv
  kinesis-produce --stream-name orders --format ndjson --dry-run --json < orders.ndjson

Exit status:
  0    every record was delivered
  1    some were not, or some input was bad; the summary says how many
  2    wrong usage, or no way to the stream: nothing was read
  130  interrupted by Ctrl-C or SIGTERM: once stops reading and delivers what was read, twice gives up at once
`

/** The command line as it is documented; `run` gets what it asks for. */
export function produceProgram(version: string, run: (command: ProduceCommand) => Promise<void>): Command {
  return new Command('kinesis-produce')
    .description(
      'Puts the lines of standard input, or of files, into a Kinesis stream: as they are, as JSON, or as rows of CSV.',
    )
    .version(version)
    .argument('[files...]', 'read instead of standard input, which is -; those that end in .gz are unpacked')
    .option('--stream-name <name>', 'the stream', streamName)
    .option('--stream-arn <arn>', 'the stream by its ARN, instead of its name', streamArn)
    .option('--region <region>', 'default: as the AWS CLI finds it', notEmpty)
    .option('--profile <name>', 'of the shared configuration', notEmpty)
    .option('--endpoint-url <url>', 'another endpoint than AWS', url)
    .addOption(
      new Option(
        '--format <format>',
        "default: by the files' names (.ndjson, .jsonl, .csv), else lines",
      ).choices(INPUT_FORMATS),
    )
    .option(
      '--partition-key <field>',
      'ndjson, csv: field that becomes the key, customer.id say; default: a random key',
      notEmpty,
    )
    .option(
      '--partition-key-regex <regex>',
      'lines: its one capture group becomes the key; default: a random key',
      oneGroup,
    )
    .option(
      '--explicit-hash-key <field>',
      'ndjson, csv: field that chooses the shard instead of the key',
      notEmpty,
    )
    .option('--delimiter <character>', 'csv: between fields, \\t for a tab (default: ",")', delimiter)
    .option('--no-skip-empty', 'lines: send empty ones, too')
    .addOption(
      new Option('--on-bad-input <what>', 'a line that makes no record: count it and go on, or stop')
        .choices(['skip', 'stop'])
        .default('skip'),
    )
    .option('--rate <n>', 'records per second', above0)
    .option('--aggregate', 'many records in one, in the format of the KPL')
    .addOption(
      new Option('--ordering <what>', 'of records with the same key')
        .choices(['none', 'per-key'])
        .default('none'),
    )
    .option('--linger-ms <n>', 'how long a record may wait for company (default: 20)', whole(0, 60_000))
    .option('--max-in-flight <n>', 'requests at once (default: 8)', whole(1, 1_000))
    .option(
      '--max-record-bytes <n>',
      'data and key of a record (default: what the stream takes)',
      whole(1, 10_485_760),
    )
    .option(
      '--record-ttl-ms <n>',
      'how long a record is tried before it is given up (default: 120000)',
      whole(1, 2_147_483_647),
    )
    .option('--dry-run', 'read and check the input, and send nothing')
    .option('--json', 'the summary as one line of JSON')
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('Run with --help to see what there is.')
    .action((files: string[], flags: ProduceFlags) => run(resolveProduceCommand(files, flags)))
}

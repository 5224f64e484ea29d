import { library } from '../../tsup.base.js'

// One entry for each optional peer: whoever does not use a sink needs not install its client.
export default library({
  entry: {
    index: 'src/index.ts',
    dynamodb: 'src/dynamodb.ts',
    kinesis: 'src/kinesis.ts',
    postgres: 'src/postgres.ts',
    s3: 'src/s3.ts',
    sns: 'src/sns.ts',
    sqs: 'src/sqs.ts',
  },
})

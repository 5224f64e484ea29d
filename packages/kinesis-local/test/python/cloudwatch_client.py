# Writes and reads a metric with boto3, in the protocol that the argument names; what it saw is one line of JSON.
import boto3
import json
import sys
from botocore.loaders import Loader
from datetime import datetime, timezone

protocol = sys.argv[1]
load_service_model = Loader.load_service_model

def load_with_protocol(self, service_name, type_name, api_version=None):
    model = load_service_model(self, service_name, type_name, api_version)
    if service_name == 'cloudwatch' and type_name == 'service-2':
        model = {**model, 'metadata': {**model['metadata'], 'protocol': protocol, 'protocols': [protocol]}}
    return model

Loader.load_service_model = load_with_protocol
cloudwatch = boto3.client('cloudwatch')
at = datetime(2026, 1, 1, 0, 0, 30, tzinfo=timezone.utc)
span = {'StartTime': datetime(2026, 1, 1, tzinfo=timezone.utc), 'EndTime': datetime(2026, 1, 1, 1, tzinfo=timezone.utc)}
metric = {'Namespace': protocol, 'MetricName': 'Orders', 'Dimensions': [{'Name': 'Shop', 'Value': '7'}]}
cloudwatch.put_metric_data(Namespace=protocol, MetricData=[
    {'MetricName': 'Orders', 'Dimensions': metric['Dimensions'], 'Timestamp': at, 'Value': 2.5},
    {'MetricName': 'Orders', 'Dimensions': metric['Dimensions'], 'Timestamp': at, 'Values': [1, 2], 'Counts': [3, 1]}])
points = cloudwatch.get_metric_statistics(**metric, **span, Period=3600, Statistics=['Sum', 'SampleCount'])['Datapoints']
data = cloudwatch.get_metric_data(**span, MetricDataQueries=[
    {'Id': 'orders', 'ReturnData': True, 'MetricStat': {'Metric': metric, 'Period': 60, 'Stat': 'Sum'}}])['MetricDataResults']
seen = {
    'points': [[point['Sum'], point['SampleCount'], point['Timestamp'].isoformat()] for point in points],
    'data': [[result['Id'], result['Values'], [time.isoformat() for time in result['Timestamps']]] for result in data],
    'metrics': [listed['Dimensions'] for listed in cloudwatch.list_metrics(Namespace=protocol)['Metrics']],
}
try:
    cloudwatch.get_metric_statistics(**metric, StartTime=at, EndTime=at, Period=60, Statistics=['Sum'])
except cloudwatch.exceptions.ClientError as error:
    seen['error'] = error.response['Error']['Message']
print(json.dumps(seen))

"""What is said to both servers: conversations of boto3 calls, right ones and wrong ones.

A step is (service, operation, parameters) or (service, operation, parameters, {name: path into the answer}); what was kept under
a name is put in for `{name}` in later parameters. Steps that must be refused need no mark: a refusal is an answer like any
other.
"""

from __future__ import annotations

from typing import Any

Step = tuple[Any, ...]

ROLE = "arn:aws:iam::123456789012:role/x"
BUCKET = "differential-bucket"
TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}'

S3_OBJECTS: list[Step] = [
    ("s3", "create_bucket", {"Bucket": BUCKET}),
    ("s3", "create_bucket", {"Bucket": "No_Good"}),
    ("s3", "head_bucket", {"Bucket": "nothing-here"}),
    ("s3", "put_object", {"Bucket": BUCKET, "Key": "a b/ü.txt", "Body": b"hello", "Metadata": {"under_score": "kept"}}),
    ("s3", "get_object", {"Bucket": BUCKET, "Key": "a b/ü.txt"}),
    ("s3", "head_object", {"Bucket": BUCKET, "Key": "a b/ü.txt"}),
    ("s3", "head_object", {"Bucket": BUCKET, "Key": "nothing"}),
    ("s3", "get_object", {"Bucket": BUCKET, "Key": "a b/ü.txt", "Range": "bytes=1-2"}),
    ("s3", "get_object", {"Bucket": BUCKET, "Key": "a b/ü.txt", "Range": "bytes=70-80"}),
    ("s3", "get_object", {"Bucket": BUCKET, "Key": "nothing"}),
    ("s3", "get_object", {"Bucket": "nothing-here", "Key": "x"}),
    ("s3", "put_object", {"Bucket": BUCKET, "Key": "big", "Body": b"x" * 3_000_000}),
    ("s3", "put_object", {"Bucket": BUCKET, "Key": "big", "Body": b"", "IfNoneMatch": "*"}),
    ("s3", "put_object", {"Bucket": BUCKET, "Key": "empty", "Body": b"", "ContentType": "image/png"}),
    ("s3", "copy_object", {"Bucket": BUCKET, "Key": "copy", "CopySource": f"{BUCKET}/empty"}),
    ("s3", "copy_object", {"Bucket": BUCKET, "Key": "copy", "CopySource": f"{BUCKET}/nothing"}),
    ("s3", "put_object_tagging", {"Bucket": BUCKET, "Key": "copy", "Tagging": {"TagSet": [{"Key": "k", "Value": "v"}]}}),
    ("s3", "get_object_tagging", {"Bucket": BUCKET, "Key": "copy"}),
    ("s3", "list_objects_v2", {"Bucket": BUCKET}),
    ("s3", "list_objects_v2", {"Bucket": BUCKET, "Prefix": "a", "Delimiter": "/"}),
    ("s3", "list_objects_v2", {"Bucket": BUCKET, "MaxKeys": 1}),
    ("s3", "delete_bucket", {"Bucket": BUCKET}),
    ("s3", "delete_objects", {"Bucket": BUCKET, "Delete": {"Objects": [{"Key": "big"}, {"Key": "nothing"}]}}),
    ("s3", "delete_object", {"Bucket": BUCKET, "Key": "copy"}),
    ("s3", "list_buckets", {}),
]  # fmt: skip
S3_SETTINGS: list[Step] = [
    ("s3", "create_bucket", {"Bucket": "settings-bucket"}),
    ("s3", "get_bucket_location", {"Bucket": "settings-bucket"}),
    ("s3", "put_bucket_versioning", {"Bucket": "settings-bucket", "VersioningConfiguration": {"Status": "Enabled"}}),
    ("s3", "put_object", {"Bucket": "settings-bucket", "Key": "v", "Body": b"1"}, {"version": "VersionId"}),
    ("s3", "put_object", {"Bucket": "settings-bucket", "Key": "v", "Body": b"2"}),
    ("s3", "get_object", {"Bucket": "settings-bucket", "Key": "v", "VersionId": "{version}"}),
    ("s3", "list_object_versions", {"Bucket": "settings-bucket"}),
    ("s3", "get_bucket_policy", {"Bucket": "settings-bucket"}),
    ("s3", "put_bucket_tagging", {"Bucket": "settings-bucket", "Tagging": {"TagSet": [{"Key": "k", "Value": "v"}]}}),
    ("s3", "get_bucket_tagging", {"Bucket": "settings-bucket"}),
    ("s3", "create_multipart_upload", {"Bucket": "settings-bucket", "Key": "parts"}, {"upload": "UploadId"}),
    ("s3", "upload_part", {"Bucket": "settings-bucket", "Key": "parts", "UploadId": "{upload}", "PartNumber": 1, "Body": b"part"}, {"etag": "ETag"}),
    ("s3", "list_parts", {"Bucket": "settings-bucket", "Key": "parts", "UploadId": "{upload}"}),
    ("s3", "complete_multipart_upload", {"Bucket": "settings-bucket", "Key": "parts", "UploadId": "{upload}", "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": "{etag}"}]}}),
    ("s3", "abort_multipart_upload", {"Bucket": "settings-bucket", "Key": "parts", "UploadId": "nothing"}),
]  # fmt: skip
QUEUES: list[Step] = [
    ("sqs", "create_queue", {"QueueName": "q", "Attributes": {"VisibilityTimeout": "0"}}, {"queue": "QueueUrl"}),
    ("sqs", "create_queue", {"QueueName": "not a name"}),
    ("sqs", "send_message", {"QueueUrl": "{queue}", "MessageBody": "hello", "MessageAttributes": {"kind": {"DataType": "String", "StringValue": "x"}}}),
    ("sqs", "receive_message", {"QueueUrl": "{queue}", "MessageAttributeNames": ["All"]}, {"handle": "Messages.0.ReceiptHandle"}),
    ("sqs", "delete_message", {"QueueUrl": "{queue}", "ReceiptHandle": "{handle}"}),
    ("sqs", "delete_message", {"QueueUrl": "{queue}", "ReceiptHandle": "nothing"}),
    ("sqs", "receive_message", {"QueueUrl": "{queue}"}),
    ("sqs", "send_message_batch", {"QueueUrl": "{queue}", "Entries": [{"Id": "a", "MessageBody": "1"}, {"Id": "b", "MessageBody": "2"}]}),
    ("sqs", "get_queue_attributes", {"QueueUrl": "{queue}", "AttributeNames": ["All"]}),
    ("sqs", "get_queue_url", {"QueueName": "nothing"}),
    ("sqs", "list_queues", {}),
    ("sqs", "purge_queue", {"QueueUrl": "{queue}"}),
    ("sqs", "delete_queue", {"QueueUrl": "{queue}"}),
    ("sqs", "send_message", {"QueueUrl": "{queue}", "MessageBody": "late"}),
]  # fmt: skip
TOPICS: list[Step] = [
    ("sns", "create_topic", {"Name": "t"}, {"topic": "TopicArn"}),
    ("sns", "create_topic", {"Name": "not a name"}),
    ("sqs", "create_queue", {"QueueName": "subscribed"}, {"queue": "QueueUrl"}),
    ("sns", "subscribe", {"TopicArn": "{topic}", "Protocol": "sqs", "Endpoint": "arn:aws:sqs:us-east-1:123456789012:subscribed", "Attributes": {"RawMessageDelivery": "true", "FilterPolicy": '{"kind": ["x"]}'}}, {"subscription": "SubscriptionArn"}),
    ("sns", "subscribe", {"TopicArn": "{topic}-nothing", "Protocol": "sqs", "Endpoint": "arn:aws:sqs:us-east-1:123456789012:subscribed"}),
    ("sns", "publish", {"TopicArn": "{topic}", "Message": "kept", "MessageAttributes": {"kind": {"DataType": "String", "StringValue": "x"}}}),
    ("sns", "publish", {"TopicArn": "{topic}", "Message": "filtered", "MessageAttributes": {"kind": {"DataType": "String", "StringValue": "y"}}}),
    ("sqs", "receive_message", {"QueueUrl": "{queue}", "MessageAttributeNames": ["All"], "MaxNumberOfMessages": 10}),
    ("sns", "publish", {"TopicArn": "{topic}-nothing", "Message": "x"}),
    ("sns", "get_topic_attributes", {"TopicArn": "{topic}"}),
    ("sns", "list_subscriptions_by_topic", {"TopicArn": "{topic}"}),
    ("sns", "get_subscription_attributes", {"SubscriptionArn": "{subscription}"}),
    ("sns", "unsubscribe", {"SubscriptionArn": "{subscription}"}),
    ("sns", "delete_topic", {"TopicArn": "{topic}"}),
    ("sns", "get_topic_attributes", {"TopicArn": "{topic}"}),
]  # fmt: skip
IDENTITIES: list[Step] = [
    ("iam", "create_user", {"UserName": "u"}),
    ("iam", "create_user", {"UserName": "u"}),
    ("iam", "get_user", {"UserName": "nobody"}),
    ("iam", "create_role", {"RoleName": "r", "AssumeRolePolicyDocument": TRUST}),
    (
        "iam",
        "create_role",
        {"RoleName": "r2", "Path": "/apart/", "AssumeRolePolicyDocument": "not json"},
    ),
    ("iam", "put_role_policy", {"RoleName": "r", "PolicyName": "p", "PolicyDocument": POLICY}),
    ("iam", "get_role_policy", {"RoleName": "r", "PolicyName": "p"}),
    ("iam", "create_policy", {"PolicyName": "shared", "PolicyDocument": POLICY}, {"policy": "Policy.Arn"}),
    ("iam", "attach_user_policy", {"UserName": "u", "PolicyArn": "{policy}"}),
    ("iam", "list_attached_user_policies", {"UserName": "u"}),
    ("iam", "delete_policy", {"PolicyArn": "{policy}"}),
    # moto lists roles in the order of their random ids: only a list of one is the same twice.
    ("iam", "list_roles", {"PathPrefix": "/apart/"}),
    ("iam", "delete_user", {"UserName": "u"}),
    ("sts", "get_caller_identity", {}),
]  # fmt: skip
OBSERVATION: list[Step] = [
    ("cloudwatch", "put_metric_data", {"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1.0}]}),
    ("cloudwatch", "list_metrics", {"Namespace": "n"}),
    ("cloudwatch", "put_metric_alarm", {"AlarmName": "a", "MetricName": "m", "Namespace": "n", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1, "Statistic": "Sum", "ComparisonOperator": "GreaterThanThreshold", "ActionsEnabled": False}),
    ("cloudwatch", "get_dashboard", {"DashboardName": "nothing"}),
    ("cloudwatch", "set_alarm_state", {"AlarmName": "nothing", "StateValue": "ALARM", "StateReason": "r"}),
    ("cloudwatch", "delete_alarms", {"AlarmNames": ["a"]}),
    ("logs", "create_log_group", {"logGroupName": "g"}),
    ("logs", "create_log_group", {"logGroupName": "g"}),
    ("logs", "create_log_stream", {"logGroupName": "g", "logStreamName": "s"}),
    ("logs", "create_log_stream", {"logGroupName": "nothing", "logStreamName": "s"}),
    ("logs", "describe_log_groups", {"logGroupNamePrefix": "g"}),
    ("logs", "put_retention_policy", {"logGroupName": "g", "retentionInDays": 7}),
    ("logs", "filter_log_events", {"logGroupName": "nothing"}),
    ("logs", "delete_log_group", {"logGroupName": "g"}),
]  # fmt: skip
OTHER_SERVICES: list[Step] = [
    ("application-autoscaling", "register_scalable_target", {"ServiceNamespace": "dynamodb", "ResourceId": "table/t", "ScalableDimension": "dynamodb:table:ReadCapacityUnits", "MinCapacity": 1, "MaxCapacity": 5}),
    ("application-autoscaling", "describe_scalable_targets", {"ServiceNamespace": "dynamodb"}),
    ("application-autoscaling", "deregister_scalable_target", {"ServiceNamespace": "dynamodb", "ResourceId": "table/none", "ScalableDimension": "dynamodb:table:ReadCapacityUnits"}),
    ("rekognition", "detect_labels", {"Image": {"S3Object": {"Bucket": "photos", "Name": "n"}}, "MaxLabels": 2}),
    ("rekognition", "compare_faces", {"SourceImage": {"S3Object": {"Bucket": "photos", "Name": "n"}}, "TargetImage": {"S3Object": {"Bucket": "photos", "Name": "n"}}}),
    ("comprehend", "list_entity_recognizers", {}),
    ("ssm", "put_parameter", {"Name": "/p", "Value": "v", "Type": "String"}),
    ("ssm", "get_parameter", {"Name": "/p"}),
    ("ssm", "get_parameter", {"Name": "/nothing"}),
    ("secretsmanager", "get_secret_value", {"SecretId": "nothing"}),
]  # fmt: skip
OTHER_SAGEMAKER: list[Step] = [
    ("sagemaker", "create_training_job", {"TrainingJobName": "j", "AlgorithmSpecification": {"TrainingInputMode": "File", "TrainingImage": "i"}, "RoleArn": ROLE, "OutputDataConfig": {"S3OutputPath": "s3://b/o"}, "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}, "StoppingCondition": {"MaxRuntimeInSeconds": 60}}),
    ("sagemaker", "describe_training_job", {"TrainingJobName": "j"}),
    ("sagemaker", "describe_training_job", {"TrainingJobName": "nothing"}),
    ("sagemaker", "list_training_jobs", {"NameContains": "j"}),
    ("sagemaker", "create_processing_job", {"ProcessingJobName": "p", "RoleArn": ROLE, "AppSpecification": {"ImageUri": "i"}, "ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}}}),
    ("sagemaker", "describe_processing_job", {"ProcessingJobName": "p"}),
    ("sagemaker", "create_notebook_instance", {"NotebookInstanceName": "n", "InstanceType": "ml.t2.medium", "RoleArn": ROLE}, {"notebook": "NotebookInstanceArn"}),
    ("sagemaker", "describe_notebook_instance", {"NotebookInstanceName": "n"}),
    ("sagemaker", "delete_notebook_instance", {"NotebookInstanceName": "n"}),
    ("sagemaker", "add_tags", {"ResourceArn": "{notebook}", "Tags": [{"Key": "k", "Value": "v"}]}),
    ("sagemaker", "list_tags", {"ResourceArn": "{notebook}"}),
    ("sagemaker", "create_experiment", {"ExperimentName": "e"}),
    ("sagemaker", "create_trial", {"TrialName": "t", "ExperimentName": "e"}),
    ("sagemaker", "describe_trial", {"TrialName": "nothing"}),
    ("sagemaker", "list_trials", {"ExperimentName": "e"}),
    ("sagemaker", "search", {"Resource": "Experiment"}),
    ("sagemaker", "create_pipeline", {"PipelineName": "pipe", "PipelineDefinition": '{"Version": "2020-12-01", "Steps": []}', "ClientRequestToken": "x" * 32, "RoleArn": ROLE}),
    ("sagemaker", "describe_pipeline", {"PipelineName": "pipe"}),
    ("sagemaker", "create_feature_group", {"FeatureGroupName": "f", "RecordIdentifierFeatureName": "id", "EventTimeFeatureName": "at", "FeatureDefinitions": [{"FeatureName": "id", "FeatureType": "String"}], "RoleArn": ROLE, "OfflineStoreConfig": {"S3StorageConfig": {"S3Uri": "s3://b/f"}}}),
    ("sagemaker", "describe_feature_group", {"FeatureGroupName": "f"}),
    ("sagemaker", "create_model", {"ModelName": "m", "PrimaryContainer": {"Image": "i"}, "ExecutionRoleArn": ROLE}),
    ("sagemaker", "describe_model", {"ModelName": "m"}),
    ("sagemaker", "describe_model", {"ModelName": "nothing"}),
    ("sagemaker", "list_models", {}),
    ("sagemaker", "create_endpoint_config", {"EndpointConfigName": "c", "ProductionVariants": [{"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}]}),
    ("sagemaker", "describe_endpoint_config", {"EndpointConfigName": "c"}),
    ("sagemaker", "describe_endpoint_config", {"EndpointConfigName": "nothing"}),
    ("sagemaker", "delete_endpoint_config", {"EndpointConfigName": "c"}),
    ("sagemaker", "delete_model", {"ModelName": "m"}),
]  # fmt: skip

CONVERSATIONS = {
    "S3 objects": S3_OBJECTS,
    "S3 settings, versions and uploads in parts": S3_SETTINGS,
    "SQS": QUEUES,
    "SNS": TOPICS,
    "IAM and STS": IDENTITIES,
    "CloudWatch and its logs": OBSERVATION,
    "services of which we change a part, and others": OTHER_SERVICES,
    "the rest of SageMaker": OTHER_SAGEMAKER,
}

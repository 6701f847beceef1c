import { Fn } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledge, ONE_ROLE_ONE_POLICY } from './acknowledgement.ts';

const POSTGRES_PORT = 5432;
const HTTPS_PORT = 443;

export interface PrivateNetworkProps {
  readonly logRetention: logs.RetentionDays;
  readonly logKey: kms.IKey;
}

/**
 * A network without fixed cost: isolated dual-stack subnets in two zones. Postgres is reached inside, S3 and DynamoDB
 * through gateway endpoints, and AWS services with dual-stack endpoints over IPv6 by an egress-only internet gateway,
 * which is free. There is no NAT gateway, no interface endpoint and no way in.
 */
export class PrivateNetwork extends Construct {
  readonly vpc: ec2.Vpc;
  /** For functions that use Postgres. */
  readonly functionSecurityGroup: ec2.SecurityGroup;
  /** For Postgres. */
  readonly databaseSecurityGroup: ec2.SecurityGroup;
  readonly subnets: ec2.SubnetSelection = { subnetType: ec2.SubnetType.PRIVATE_ISOLATED };

  constructor(scope: Construct, id: string, props: PrivateNetworkProps) {
    super(scope, id);
    this.vpc = new ec2.Vpc(this, 'Vpc', {
      ipProtocol: ec2.IpProtocol.DUAL_STACK,
      ipAddresses: ec2.IpAddresses.cidr('10.60.0.0/20'),
      maxAzs: 2,
      natGateways: 0,
      createInternetGateway: false,
      // Nothing uses the default group; emptying it would take a Lambda function of its own.
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [
        {
          name: 'Isolated',
          subnetType: ec2.SubnetType.PRIVATE_ISOLATED,
          cidrMask: 24,
          ipv6AssignAddressOnCreation: true,
        },
      ],
      gatewayEndpoints: {
        S3: { service: ec2.GatewayVpcEndpointAwsService.S3 },
        DynamoDb: { service: ec2.GatewayVpcEndpointAwsService.DYNAMODB },
      },
    });
    this.addIpv6Egress();

    acknowledge(
      this.vpc,
      'NIST.800.53.R5-VPCDefaultSecurityGroupClosed',
      'Nothing is in the default group, and nothing can be put there from outside; CloudFormation cannot empty it without a function of its own.',
    );
    acknowledge(
      this.vpc,
      'NIST.800.53.R5-VPCSubnetAutoAssignPublicIpDisabled',
      'The addresses are IPv6, and the only way out of the network lets nothing in; there is no internet gateway and no public IPv4 address.',
    );
    const flowLog = this.vpc.addFlowLog('RejectedTraffic', {
      // Rejected only: enough to see a blocked connection, and next to nothing to pay for.
      trafficType: ec2.FlowLogTrafficType.REJECT,
      destination: ec2.FlowLogDestination.toCloudWatchLogs(
        new logs.LogGroup(this, 'FlowLogs', {
          retention: props.logRetention,
          encryptionKey: props.logKey,
        }),
      ),
    });
    acknowledge(flowLog, 'NIST.800.53.R5-IAMNoInlinePolicy', ONE_ROLE_ONE_POLICY);

    // `allowAllOutbound` would open 0.0.0.0/0 only and leave IPv6 closed, so each way out is named.
    this.functionSecurityGroup = new ec2.SecurityGroup(this, 'FunctionSecurityGroup', {
      vpc: this.vpc,
      description: 'Functions that use Postgres',
      allowAllOutbound: false,
      allowAllIpv6Outbound: false,
    });
    this.databaseSecurityGroup = new ec2.SecurityGroup(this, 'DatabaseSecurityGroup', {
      vpc: this.vpc,
      description: 'Postgres',
      allowAllOutbound: false,
      allowAllIpv6Outbound: false,
    });
    this.functionSecurityGroup.addEgressRule(
      this.databaseSecurityGroup,
      ec2.Port.tcp(POSTGRES_PORT),
      'Postgres',
    );
    this.databaseSecurityGroup.addIngressRule(
      this.functionSecurityGroup,
      ec2.Port.tcp(POSTGRES_PORT),
      'Functions that use Postgres',
    );
    this.functionSecurityGroup.addEgressRule(
      ec2.Peer.anyIpv6(),
      ec2.Port.tcp(HTTPS_PORT),
      'AWS services with dual-stack endpoints',
    );
    // The subnets have no IPv4 default route: of all IPv4 addresses only those of the gateway endpoints can be reached.
    this.functionSecurityGroup.addEgressRule(
      ec2.Peer.anyIpv4(),
      ec2.Port.tcp(HTTPS_PORT),
      'S3 and DynamoDB through their gateway endpoints',
    );
  }

  /** CDK gives isolated subnets no IPv6 route, even in a dual-stack network. */
  private addIpv6Egress(): void {
    const gateway = new ec2.CfnEgressOnlyInternetGateway(this, 'EgressOnlyInternetGateway', {
      vpcId: this.vpc.vpcId,
    });
    for (const subnet of this.vpc.isolatedSubnets as ec2.Subnet[]) {
      new ec2.CfnRoute(subnet, 'Ipv6EgressRoute', {
        routeTableId: subnet.routeTable.routeTableId,
        destinationIpv6CidrBlock: '::/0',
        egressOnlyInternetGatewayId: gateway.attrId,
      });
    }
  }
}

/** Two zones of whatever region is deployed to: CDK would ask the account, which `cdk synth` must not need. */
export function firstTwoAvailabilityZones(): string[] {
  return [Fn.select(0, Fn.getAzs()), Fn.select(1, Fn.getAzs())];
}

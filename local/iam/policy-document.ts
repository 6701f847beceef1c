/** An IAM policy, as CloudFormation templates hold it. */
export interface PolicyDocument {
  readonly Version?: string;
  readonly Statement: readonly Record<string, unknown>[];
}

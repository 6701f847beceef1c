import { randomUUID } from 'node:crypto';
import { arn } from '../aws/account.ts';
import type { DeployedTemplate } from '../template/deployed-template.ts';
import { busEvent } from './event-bus-server.ts';
import { schedule } from './schedule-expression.ts';
import { type TargetInput, targetInput } from './target-input.ts';
import type { Caller, TargetReference, Targets } from './targets.ts';

/** EventBridge Scheduler's schedules, and scheduled rules of EventBridge. */
export class Scheduler {
  readonly #stops: (() => void)[] = [];

  constructor(template: DeployedTemplate, targets: Targets, onFailure: (error: unknown) => void) {
    const deliver = (target: TargetReference, input: string, caller: Caller) => {
      targets.deliver(target, input, caller).catch(onFailure);
    };
    for (const { properties, physicalId } of template.ofType('AWS::Scheduler::Schedule')) {
      if (properties.State === 'DISABLED') continue;
      const target = properties.Target as TargetReference & { readonly Input?: string };
      const group = String(properties.GroupName ?? 'default');
      const caller = { service: 'scheduler', sourceArn: arn('scheduler', `schedule/${group}/${physicalId}`) };
      const expression = String(properties.ScheduleExpression);
      const timezone = properties.ScheduleExpressionTimezone as string | undefined;
      this.#stops.push(
        schedule(expression, timezone, () =>
          deliver(target, scheduledInput(target.Input ?? '{}', caller.sourceArn), caller),
        ),
      );
    }
    for (const { properties, physicalId } of template.ofType('AWS::Events::Rule')) {
      if (properties.State === 'DISABLED' || properties.ScheduleExpression === undefined) continue;
      const caller = { service: 'events', sourceArn: arn('events', `rule/${physicalId}`) };
      for (const target of (properties.Targets as (TargetReference & TargetInput)[] | undefined) ?? []) {
        this.#stops.push(
          schedule(String(properties.ScheduleExpression), undefined, () => {
            const event = busEvent('aws.events', 'Scheduled Event', {}, [caller.sourceArn]);
            deliver(target, targetInput(target, event), caller);
          }),
        );
      }
    }
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }
}

/** Scheduler fills in its context attributes wherever they stand in the input. */
function scheduledInput(input: string, scheduleArn: string): string {
  return input
    .replaceAll('<aws.scheduler.schedule-arn>', scheduleArn)
    .replaceAll('<aws.scheduler.scheduled-time>', `${new Date().toISOString().slice(0, 19)}Z`)
    .replaceAll('<aws.scheduler.execution-id>', randomUUID())
    .replaceAll('<aws.scheduler.attempt-number>', '1');
}

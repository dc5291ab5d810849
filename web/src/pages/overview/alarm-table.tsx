import { Table, VisuallyHidden } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { templateNames } from '../../api/alarms';
import type { ActiveAlarm } from '../../api/client';
import { companyNames } from '../../api/companies';
import { Since } from '../../ui/since';
import { alarmTone, StatusBadge } from '../../ui/status-badge';
import classes from './alarm-table.module.css';

const present = (uid: string | undefined) => uid !== undefined;

export function AlarmTable({ alarms }: { alarms: ActiveAlarm[] }) {
  const templates = useQuery(templateNames(alarms.map((alarm) => alarm.alarmTemplateUid).filter(present)));
  const companies = useQuery(companyNames(alarms.map((alarm) => alarm.object?.organizationUid).filter(present)));
  return (
    <Table className={classes.table} verticalSpacing="sm" horizontalSpacing="md">
      <Table.Caption className={classes.caption}>
        <VisuallyHidden>Active alarms, the newest first</VisuallyHidden>
      </Table.Caption>
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col" className={classes.status}>
            Status
          </Table.Th>
          <Table.Th scope="col">Alarm</Table.Th>
          <Table.Th scope="col" className={classes.object}>
            Object
          </Table.Th>
          <Table.Th scope="col" className={classes.company}>
            Company
          </Table.Th>
          <Table.Th scope="col" className={classes.since}>
            Since
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {alarms.map((alarm) => (
          <AlarmRow
            key={alarm.instanceUid}
            alarm={alarm}
            template={templates.data?.get(alarm.alarmTemplateUid)}
            company={companies.data?.get(alarm.object?.organizationUid)}
          />
        ))}
      </Table.Tbody>
    </Table>
  );
}

interface AlarmRowProps {
  alarm: ActiveAlarm;
  template: string | undefined;
  company: string | undefined;
}

function AlarmRow({ alarm, template, company }: AlarmRowProps) {
  const { lastActivation: last, object, repeatCount } = alarm;
  const status = last?.status ?? 'Unknown';
  // An alarm about a computer as a whole names it twice.
  const objectName = object?.objectName ?? object?.computerName;
  const computer = object?.computerName === objectName ? undefined : object?.computerName;
  return (
    <Table.Tr>
      <Table.Td>
        <StatusBadge status={status} tone={alarmTone(status)} />
      </Table.Td>
      <Table.Td>
        {template && <div className={classes.strong}>{template}</div>}
        <div className={template && classes.message}>{last?.message}</div>
        {repeatCount !== undefined && repeatCount > 1 && (
          <div className={classes.quiet}>Repeated {repeatCount} times</div>
        )}
      </Table.Td>
      <Table.Td>
        <div>{objectName}</div>
        {computer && <div className={classes.quiet}>on {computer}</div>}
      </Table.Td>
      <Table.Td>{company ?? <span title={object?.organizationUid}>–</span>}</Table.Td>
      <Table.Td>{last?.time && <Since time={last.time} />}</Table.Td>
    </Table.Tr>
  );
}

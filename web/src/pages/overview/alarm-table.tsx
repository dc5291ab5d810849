import { Table, VisuallyHidden } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { templateNames } from '../../api/alarms';
import type { ActiveAlarm } from '../../api/client';
import { companyNames } from '../../api/companies';
import { Since } from '../../ui/since';
import { alarmTone, StatusBadge } from '../../ui/status-badge';
import classes from './alarm-table.module.css';

export function AlarmTable({ alarms }: { alarms: ActiveAlarm[] }) {
  const templates = useQuery(templateNames(alarms.map((alarm) => alarm.alarmTemplateUid)));
  const companies = useQuery(companyNames(alarms.map((alarm) => alarm.object.organizationUid)));
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
            company={companies.data?.get(alarm.object.organizationUid)}
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
  const objectName = object.objectName || object.computerName;
  return (
    <Table.Tr>
      <Table.Td>
        <StatusBadge status={last.status} tone={alarmTone(last.status)} />
      </Table.Td>
      <Table.Td>
        {template && <div className={classes.strong}>{template}</div>}
        <div className={template && classes.message}>{last.message}</div>
        {repeatCount > 1 && <div className={classes.quiet}>Raised {repeatCount} times</div>}
      </Table.Td>
      <Table.Td>
        <div>{objectName}</div>
        {/* An alarm about a computer as a whole names it twice. */}
        {objectName !== object.computerName && <div className={classes.quiet}>on {object.computerName}</div>}
      </Table.Td>
      <Table.Td>{company ?? <span title={object.organizationUid}>–</span>}</Table.Td>
      <Table.Td>
        <Since time={last.time} />
      </Table.Td>
    </Table.Tr>
  );
}

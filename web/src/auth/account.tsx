import { Button, Group, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { describe } from '../ui/describe';
import { spelled } from '../ui/status-badge';
import classes from './account.module.css';
import { endSession, signOut, type User } from './session';

/** Who is signed in, and the way out. */
export function Account({ user }: { user: User }) {
  const client = useQueryClient();
  const leaving = useMutation({ mutationFn: signOut, onSuccess: () => endSession(client, false) });
  return (
    <Group gap="md" wrap="nowrap">
      {leaving.error && (
        <Text size="xs" c="red" role="alert">
          Still signed in. {describe(leaving.error)}
        </Text>
      )}
      <div className={classes.who}>
        <span className={classes.name}>{user.name}</span>
        <span className={classes.role}>{spelled(user.role)}</span>
      </div>
      <Button variant="default" size="xs" loading={leaving.isPending} onClick={() => leaving.mutate()}>
        Sign out
      </Button>
    </Group>
  );
}

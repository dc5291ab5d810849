import { Anchor, Button, PasswordInput, Stack } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { setPassword } from './session';
import { Trouble } from './trouble';
import { useAttempt } from './use-attempt';

/** Sets a new password with the code out of a mail. */
export function NewPasswordForm({ code, onBack }: { code: string; onBack: (note?: string) => void }) {
  const [password, setText] = useState('');
  const { submit, pending, wait, trouble } = useAttempt(
    () => setPassword(code, password),
    () => onBack('The new password is set. Sign in with it.'),
  );
  const send = (event: FormEvent) => {
    event.preventDefault();
    submit(undefined);
  };

  return (
    <form onSubmit={send} aria-labelledby="door">
      <Stack gap="md">
        <Trouble text={trouble} pending={pending} />
        <PasswordInput
          label="New password"
          name="new-password"
          autoComplete="new-password"
          minLength={8}
          autoFocus
          required
          withAsterisk={false}
          value={password}
          onChange={(event) => setText(event.currentTarget.value)}
          visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password', tabIndex: 0 }}
        />
        <Button type="submit" fullWidth mt="xs" loading={pending} disabled={wait > 0}>
          Set the password
        </Button>
        <Anchor component="button" type="button" size="sm" onClick={() => onBack()}>
          Back
        </Anchor>
      </Stack>
    </form>
  );
}

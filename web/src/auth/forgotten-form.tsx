import { Anchor, Button, Stack, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { askForPassword } from './session';
import { Trouble } from './trouble';
import { useAttempt } from './use-attempt';

/** Asks for a mail with a link. Whether there is such a user, nobody is told. */
export function ForgottenForm({ onBack }: { onBack: (note?: string) => void }) {
  const [userName, setUserName] = useState('');
  const [email, setEmail] = useState('');
  const { submit, pending, wait, trouble } = useAttempt(
    () => askForPassword(userName, email),
    () => onBack('If there is such a user with this address, a mail with a link is on its way.'),
  );
  const send = (event: FormEvent) => {
    event.preventDefault();
    submit(undefined);
  };

  return (
    <form onSubmit={send} aria-labelledby="door">
      <Stack gap="md">
        <Trouble text={trouble} pending={pending} />
        <TextInput
          label="User name"
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
          required
          withAsterisk={false}
          value={userName}
          onChange={(event) => setUserName(event.currentTarget.value)}
        />
        <TextInput
          label="E-mail address"
          name="email"
          type="email"
          autoComplete="email"
          required
          withAsterisk={false}
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <Button type="submit" fullWidth mt="xs" loading={pending} disabled={wait > 0}>
          Send a link
        </Button>
        <Anchor component="button" type="button" size="sm" onClick={() => onBack()}>
          Back
        </Anchor>
      </Stack>
    </form>
  );
}

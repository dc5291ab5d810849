import { Anchor, Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { type CodeWanted, type Session, signIn } from './session';
import { Trouble } from './trouble';
import { useAttempt } from './use-attempt';

interface Props {
  note: ReactNode;
  onBegun: (answer: Session | CodeWanted) => void;
  onForgotten: () => void;
}

export function PasswordForm({ note, onBegun, onForgotten }: Props) {
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const { submit, pending, wait, trouble } = useAttempt(signIn, onBegun);
  const send = (event: FormEvent) => {
    event.preventDefault();
    submit({ username, password });
  };

  return (
    <form onSubmit={send} aria-labelledby="door">
      <Stack gap="md">
        {trouble === undefined && note}
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
          value={username}
          onChange={(event) => setUsername(event.currentTarget.value)}
        />
        <PasswordInput
          label="Password"
          name="password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password', tabIndex: 0 }}
        />
        <Button type="submit" fullWidth mt="xs" loading={pending} disabled={wait > 0}>
          Sign in
        </Button>
        <Anchor component="button" type="button" size="sm" onClick={onForgotten}>
          Forgotten password
        </Anchor>
      </Stack>
    </form>
  );
}

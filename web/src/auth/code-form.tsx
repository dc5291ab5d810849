import { Anchor, Button, Code, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { type CodeWanted, type Session, signIn } from './session';
import { Trouble } from './trouble';
import { useAttempt } from './use-attempt';

interface Props {
  wanted: CodeWanted;
  onBegun: (answer: Session | CodeWanted) => void;
  onBack: () => void;
}

/** The second step; if the user has no second factor and must have one, it is set up here. */
export function CodeForm({ wanted, onBegun, onBack }: Props) {
  const [mfaCode, setCode] = useState('');
  const { submit, pending, wait, trouble } = useAttempt(signIn, onBegun);
  const { mfaToken, mfaSecret, mfaSecretUrl } = wanted;
  const send = (event: FormEvent) => {
    event.preventDefault();
    submit({ mfaToken, mfaCode, ...(mfaSecretUrl && { mfaSecretUrl }) });
  };

  return (
    <form onSubmit={send} aria-labelledby="door">
      <Stack gap="md">
        <Trouble text={trouble} pending={pending} />
        {mfaSecret && mfaSecretUrl && (
          <>
            <Text size="sm">
              Your administrator wants you to sign in with a second factor. Enter this secret into an authenticator app,
              or <Anchor href={mfaSecretUrl}>open one on this device</Anchor>.
            </Text>
            <Code block>{mfaSecret}</Code>
          </>
        )}
        <TextInput
          label="Code of your authenticator"
          name="code"
          autoComplete="one-time-code"
          inputMode="numeric"
          autoFocus
          required
          withAsterisk={false}
          value={mfaCode}
          onChange={(event) => setCode(event.currentTarget.value)}
        />
        <Button type="submit" fullWidth mt="xs" loading={pending} disabled={wait > 0}>
          Sign in
        </Button>
        <Anchor component="button" type="button" size="sm" onClick={onBack}>
          Back
        </Anchor>
      </Stack>
    </form>
  );
}

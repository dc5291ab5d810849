import { Alert, Button, PasswordInput, Stack, TextInput, Title } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ApiError, Unreachable } from '../api/errors';
import { Brand } from '../ui/brand';
import { Centred } from '../ui/centred';
import { describe } from '../ui/describe';
import { inWords } from '../ui/time';
import { useTicking } from '../ui/use-ticking';
import { sessionQuery, signIn } from './session';

/** A sign-in that meets no host is tried again for a minute before the page gives up. */
const TRIES = 30;
const TRY_EVERY_MS = 2_000;

function useSignIn() {
  const client = useQueryClient();
  const [blockedUntil, setBlockedUntil] = useState(0);
  const mutation = useMutation({
    mutationFn: signIn,
    retry: (count, error) => error instanceof Unreachable && count < TRIES,
    retryDelay: TRY_EVERY_MS,
    onSuccess: (session) => client.setQueryData(sessionQuery.queryKey, session),
    onError: (error) => {
      if (error instanceof ApiError && error.status === 429) {
        setBlockedUntil(Date.now() + (error.retryAfterSeconds ?? 60) * 1000);
      }
    },
  });
  const wait = useTicking((now) => Math.max(0, Math.ceil((blockedUntil - now) / 1000)));
  return { mutation, wait };
}

/** What went wrong last, if it still matters. */
function problem({ mutation, wait }: ReturnType<typeof useSignIn>): string | undefined {
  if (wait > 0) {
    return `Too many attempts. Try again in ${inWords(wait)}.`;
  }
  if (mutation.isPending) {
    return mutation.failureReason ? `${describe(mutation.failureReason)} Trying again.` : undefined;
  }
  const { error } = mutation;
  if (error instanceof ApiError && error.status === 429) {
    return undefined; // the wait is over
  }
  return error ? describe(error) : undefined;
}

export function LoginPage({ expired }: { expired: boolean }) {
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const attempt = useSignIn();
  const { mutation, wait } = attempt;
  const trouble = problem(attempt);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    mutation.mutate({ username, password });
  };

  return (
    <Centred>
      <title>Sign in · Keelson</title>
      <form onSubmit={submit} aria-labelledby="sign-in">
        <Stack gap="md">
          <Brand />
          <Title order={1} size="h3" id="sign-in">
            Sign in
          </Title>
          {expired && !trouble && (
            <Alert color="blue" role="status">
              Your session has ended. Sign in again.
            </Alert>
          )}
          {trouble && (
            <Alert color={mutation.isPending ? 'yellow' : 'red'} role="alert">
              {trouble}
            </Alert>
          )}
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
          <Button type="submit" fullWidth mt="xs" loading={mutation.isPending} disabled={wait > 0}>
            Sign in
          </Button>
        </Stack>
      </form>
    </Centred>
  );
}

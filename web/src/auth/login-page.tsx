import { Alert, Stack, Title } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Brand } from '../ui/brand';
import { Centred } from '../ui/centred';
import { CodeForm } from './code-form';
import { ForgottenForm } from './forgotten-form';
import { NewPasswordForm } from './new-password-form';
import { PasswordForm } from './password-form';
import { type CodeWanted, type Session, sessionQuery } from './session';

type Step =
  | { at: 'password'; note?: string }
  | { at: 'code'; wanted: CodeWanted }
  | { at: 'forgotten' }
  | { at: 'new'; code: string };

/** A link out of a mail brings the code along; it does not stay in the address. */
function firstStep(): Step {
  const code = new URLSearchParams(window.location.search).get('reset');
  if (code === null) {
    return { at: 'password' };
  }
  window.history.replaceState(null, '', window.location.pathname);
  return { at: 'new', code };
}

const TITLES = { password: 'Sign in', code: 'Sign in', forgotten: 'Forgotten password', new: 'New password' };

export function LoginPage({ expired }: { expired: boolean }) {
  const client = useQueryClient();
  const [step, setStep] = useState(firstStep);
  const back = (note?: string) => setStep(note === undefined ? { at: 'password' } : { at: 'password', note });
  const begun = (answer: Session | CodeWanted) => {
    if ('mfaToken' in answer) {
      setStep({ at: 'code', wanted: answer });
    } else {
      client.setQueryData(sessionQuery.queryKey, answer);
    }
  };
  const note =
    step.at === 'password'
      ? (step.note ?? (expired ? 'Your session has ended. Sign in again.' : undefined))
      : undefined;

  return (
    <Centred>
      <title>{`${TITLES[step.at]} · Keelson`}</title>
      <Stack gap="md">
        <Brand />
        <Title order={1} size="h3" id="door">
          {TITLES[step.at]}
        </Title>
        {form()}
      </Stack>
    </Centred>
  );

  function form(): ReactNode {
    switch (step.at) {
      case 'password':
        return (
          <PasswordForm
            note={
              note && (
                <Alert color="blue" role="status">
                  {note}
                </Alert>
              )
            }
            onBegun={begun}
            onForgotten={() => setStep({ at: 'forgotten' })}
          />
        );
      case 'code':
        return <CodeForm wanted={step.wanted} onBegun={begun} onBack={() => back()} />;
      case 'forgotten':
        return <ForgottenForm onBack={back} />;
      case 'new':
        return <NewPasswordForm code={step.code} onBack={back} />;
    }
  }
}

import { Alert } from '@mantine/core';

/** Why a form of the door was refused, or that it is being sent again. */
export function Trouble({ text, pending }: { text: string | undefined; pending: boolean }) {
  if (text === undefined) {
    return null;
  }
  return (
    <Alert color={pending ? 'yellow' : 'red'} role="alert">
      {text}
    </Alert>
  );
}

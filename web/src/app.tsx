import { MantineProvider } from '@mantine/core';
import { QueryCache, QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { Account } from './auth/account';
import { LoginPage } from './auth/login-page';
import { noticeExpiry, sessionQuery } from './auth/session';
import { OverviewPage } from './pages/overview';
import { Brand } from './ui/brand';
import { Centred } from './ui/centred';
import { describe } from './ui/describe';
import { Message } from './ui/message';
import { Shell } from './ui/shell';
import { theme, variables } from './ui/theme';

// `always`: a browser that thinks it is offline may still reach a host on this machine or network.
const client: QueryClient = new QueryClient({
  defaultOptions: { queries: { networkMode: 'always' }, mutations: { networkMode: 'always' } },
  queryCache: new QueryCache({ onError: (error) => noticeExpiry(client, error) }),
});

export function App() {
  return (
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
      <QueryClientProvider client={client}>
        <Door />
      </QueryClientProvider>
    </MantineProvider>
  );
}

/** Nothing of the console is shown before the host said who is there. */
function Door() {
  const { data: session, failureReason, isError } = useQuery(sessionQuery);
  if (session === undefined) {
    return (
      <Centred>
        <Brand />
        {failureReason === null ? (
          <Message title="Loading" />
        ) : (
          <Message title="The console cannot start" urgent>
            {describe(failureReason)} {isError ? '' : 'Trying again.'}
          </Message>
        )}
      </Centred>
    );
  }
  if (session.user === null) {
    return <LoginPage expired={session.expired} />;
  }
  return (
    <Shell account={<Account user={session.user} />}>
      <OverviewPage />
    </Shell>
  );
}

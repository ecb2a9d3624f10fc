import { QueryClient } from "@tanstack/react-query";

import { problemOf } from "./errors";

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        // A refusal will not change by asking again; a network or a server may recover.
        retry: (count, error) => {
          const { status } = problemOf(error);
          return count < 3 && (status === null || status >= 500);
        },
        refetchOnWindowFocus: true,
      },
    },
  });
}

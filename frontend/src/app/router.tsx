import { createBrowserRouter } from "react-router-dom";

import { NotFoundPage, RouteError } from "./error-pages";
import { Layout } from "./layout";

export const router = createBrowserRouter(
  [
    {
      path: "/",
      element: <Layout />,
      errorElement: <RouteError />,
      children: [
        {
          index: true,
          lazy: async () => ({ Component: (await import("@/features/overview/overview-page")).OverviewPage }),
        },
        {
          path: "locations/:locationId",
          lazy: async () => ({ Component: (await import("@/features/location/location-page")).LocationPage }),
        },
        {
          path: "batteries/:batteryId",
          lazy: async () => ({ Component: (await import("@/features/battery/battery-page")).BatteryPage }),
        },
        {
          path: "incidents",
          lazy: async () => ({ Component: (await import("@/features/incidents/incidents-page")).IncidentsPage }),
        },
        {
          path: "incidents/:incidentId",
          lazy: async () => ({ Component: (await import("@/features/incidents/incidents-page")).IncidentsPage }),
        },
        {
          path: "alerts",
          lazy: async () => ({ Component: (await import("@/features/alerts/alerts-page")).AlertsPage }),
        },
        {
          path: "alerts/:alertId",
          lazy: async () => ({ Component: (await import("@/features/alerts/alerts-page")).AlertsPage }),
        },
        {
          path: "remaining-life",
          lazy: async () => ({
            Component: (await import("@/features/remaining-life/remaining-life-page")).RemainingLifePage,
          }),
        },
        {
          path: "alert-rules",
          lazy: async () => ({ Component: (await import("@/features/alert-rules/rules-page")).RulesPage }),
        },
        {
          path: "silences",
          lazy: async () => ({ Component: (await import("@/features/silences/silences-page")).SilencesPage }),
        },
        {
          path: "alert-load",
          lazy: async () => ({ Component: (await import("@/features/alarm-load/alarm-load-page")).AlarmLoadPage }),
        },
        { path: "*", element: <NotFoundPage /> },
      ],
    },
  ],
  { future: { v7_relativeSplatPath: true } },
);

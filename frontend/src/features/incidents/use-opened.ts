import { useNavigate, useSearchParams } from "react-router-dom";

/** The incident that the address opens, and the way to another one or back to the list; filters stay as they are. */
export function useOpened(incidentId: string | undefined) {
  const navigate = useNavigate();
  const [params] = useSearchParams();
  const opened = incidentId === undefined ? null : Number(incidentId);
  const open = (id: number | null) => {
    const kept = new URLSearchParams(params);
    // It marks an alert of the incident that is left.
    kept.delete("alert");
    const search = kept.toString() === "" ? "" : `?${kept.toString()}`;
    navigate((id === null ? "/incidents" : `/incidents/${id}`) + search, { replace: opened !== null });
  };
  return { opened, open };
}

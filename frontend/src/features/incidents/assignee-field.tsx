import { useQuery } from "@tanstack/react-query";
import { useId } from "react";
import { useTranslation } from "react-i18next";

import { useMay, useSession } from "@/api/session";
import { Button } from "@/components/ui/button";

import { users } from "./queries";

interface AssigneeFieldProps {
  value: string;
  onChange: (username: string) => void;
  locationId: string;
}

/** Who takes care of it: oneself, nobody, or a user by name. Administrators, who may read the users, get a list of them. */
export function AssigneeField({ value, onChange, locationId }: AssigneeFieldProps) {
  const { t } = useTranslation();
  const listId = useId();
  const username = useSession((state) => state.user?.username) ?? "";
  const list = useQuery({ ...users(), enabled: useMay("admin") });
  const able = (list.data?.items ?? []).filter(
    (user) =>
      user.is_active &&
      user.role !== "viewer" &&
      (user.location_ids === null || user.location_ids.includes(locationId)),
  );
  return (
    <div>
      <label className="block font-medium">
        {t("incidents.assignee")}
        <input
          className="mt-1 block min-h-8 w-full rounded-lg border border-border-strong bg-bg px-2"
          value={value}
          onChange={(event) => onChange(event.target.value)}
          list={listId}
          maxLength={80}
          autoComplete="off"
          placeholder={t("incidents.toNobody")}
        />
      </label>
      <datalist id={listId}>
        {able.map((user) => (
          <option key={user.user_id} value={user.username}>
            {user.display_name ?? user.username}
          </option>
        ))}
      </datalist>
      {list.isError && <p className="mt-1 text-warning-text">{t("incidents.usersFailed")}</p>}
      <p className="mt-2 flex flex-wrap gap-2">
        <Button onClick={() => onChange(username)}>{t("incidents.toMe", { who: username })}</Button>
        <Button onClick={() => onChange("")}>{t("incidents.toNobody")}</Button>
      </p>
    </div>
  );
}

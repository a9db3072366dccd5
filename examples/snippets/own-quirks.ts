// #region own
import { defineQuirks } from "@ocppj/core";

export const ownQuirks = defineQuirks({
  onlyConnector: {
    id: "O1",
    evidence: [],
    forgives: "MeterValues without `connectorId`, from a charger that has one connector",
    repairs: "it is connector 1",
    guesses: true,
    scope: "payload",
    mend: ({ action, path, value }) =>
      action === "MeterValues" && path === "connectorId" && value === undefined ? { value: 1 } : undefined,
  },
});
// #endregion

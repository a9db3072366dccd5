import assert from "node:assert/strict";
// #region frames
import { decode, encode, PayloadError } from "@ocppj/core";

const frame = decode('[2,"1","Heartbeat",{}]'); // never throws
console.log(frame); // { type: "CALL", messageId: "1", action: "Heartbeat", payload: {} }
if (frame.type !== "MALFORMED") console.log(encode(frame));
// #endregion
assert.deepEqual({ ...frame }, { type: "CALL", messageId: "1", action: "Heartbeat", payload: {} });
assert.equal(frame.type !== "MALFORMED" && encode(frame), '[2,"1","Heartbeat",{}]');

// #region table
import { type Action, actions, type Conf, type Req } from "@ocppj/core";

const names = Object.keys(actions) as Action[]; // all 39
console.log(actions.BootNotification.from); // ["ChargePoint"]

const req: Req<"StatusNotification"> = { connectorId: 1, errorCode: "NoError", status: "Available" };
const conf: Conf<"StatusNotification"> = {};
// #endregion
assert.equal(names.length, 39);
assert.deepEqual(actions.BootNotification.from, ["ChargePoint"]);
assert.deepEqual([Object.keys(req).length, Object.keys(conf).length], [3, 0]);

// #region check
import { check } from "@ocppj/core";

const period = { startPeriod: 0, limit: 16.1 * 3, numberPhases: undefined }; // 48.300000000000004
const sent = check("GetCompositeSchedule", "conf", {
  status: "Accepted",
  chargingSchedule: { chargingRateUnit: "A", chargingSchedulePeriod: [period] },
});
console.log(sent.chargingSchedule?.chargingSchedulePeriod[0]); // { startPeriod: 0, limit: 48.3 }
// #endregion
assert.deepEqual(sent.chargingSchedule?.chargingSchedulePeriod, [{ startPeriod: 0, limit: 48.3 }]);
assert.throws(() => check("Authorize", "req", { idTag: 5 }), PayloadError);

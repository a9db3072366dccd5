import assert from "node:assert/strict";

// #region frames
import { decode, encode } from "@ocppj/core";

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

"""A charge point as it is usually written in Python: one session, which ends when the central system asks for it.

    python3 charge_point.py ws://127.0.0.1:9000/ocpp/CP001

Exits with 1, and says why, when it gets another answer than it needs.
"""

import asyncio
import sys

import websockets
from peer import Peer, now, tell


async def main(url):
    stopped = asyncio.Event()

    def remote_stop(req):
        int(req["transactionId"])
        stopped.set()
        return {"status": "Accepted"}

    def get_configuration(req):
        return {"unknownKey": list(req["key"])}

    handlers = {"RemoteStopTransaction": remote_stop, "GetConfiguration": get_configuration}
    async with websockets.connect(url, subprotocols=["ocpp1.6"]) as websocket:
        peer = Peer(websocket, handlers)
        reading = asyncio.create_task(peer.read())
        boot = await peer.call("BootNotification", {"chargePointModel": "Wallbox XYZ", "chargePointVendor": "anewone"})
        assert boot["status"] == "Accepted", boot
        await peer.call("Heartbeat", {})
        status = {"connectorId": 1, "errorCode": "NoError", "timestamp": now()}
        await peer.call("StatusNotification", {**status, "status": "Preparing"})
        authorized = await peer.call("Authorize", {"idTag": "04E91C5A"})
        assert authorized["idTagInfo"]["status"] == "Accepted", authorized
        start = {"connectorId": 1, "idTag": "04E91C5A", "meterStart": 0, "timestamp": now()}
        transaction_id = (await peer.call("StartTransaction", start))["transactionId"]
        await peer.call("StatusNotification", {**status, "status": "Charging"})
        sample = {"value": "120", "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
        meter_value = [{"timestamp": now(), "sampledValue": [sample]}]
        await peer.call("MeterValues", {"connectorId": 1, "transactionId": transaction_id, "meterValue": meter_value})
        await asyncio.wait_for(stopped.wait(), timeout=15)
        stop = {"transactionId": transaction_id, "meterStop": 120, "timestamp": now(), "reason": "Remote"}
        await peer.call("StopTransaction", stop)
        reading.cancel()


try:
    asyncio.run(main(sys.argv[1]))
except (AssertionError, RuntimeError) as error:
    tell(failed=str(error))
    sys.exit(1)

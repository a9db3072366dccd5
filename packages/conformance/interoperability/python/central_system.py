"""A central system as it is usually written in Python.

    python3 central_system.py [--no-subprotocol] [--epoch]

Prints {"port": ...} when it listens, and {"connected": identity} for each charge point. A line of JSON on standard input,
[action, payload], is a CALL to the latest one. Ends when standard input does.
"""

import asyncio
import json
import sys
import time

import websockets
from peer import Peer, now, tell

peers = []
transactions = 0


def current_time():
    return int(time.time()) if "--epoch" in sys.argv else now()


def start_transaction(_):
    global transactions
    transactions += 1
    return {"transactionId": transactions, "idTagInfo": {"status": "Accepted", "expiryDate": "2099-12-31T00:00:00"}}


handlers = {
    "BootNotification": lambda _: {"currentTime": current_time(), "interval": 10, "status": "Accepted"},
    "Heartbeat": lambda _: {"currentTime": current_time()},
    "StatusNotification": lambda _: {},
    "Authorize": lambda req: {"idTagInfo": {"status": "Accepted" if req["idTag"] == "04E91C5A" else "Invalid"}},
    "StartTransaction": start_transaction,
    "MeterValues": lambda _: {},
    "StopTransaction": lambda _: {"idTagInfo": {"status": "Accepted", "expiryDate": "2099-12-31 00:00:00"}},
}


async def serve(websocket, path):
    tell(connected=path.strip("/"))
    peer = Peer(websocket, handlers)
    peers.append(peer)
    await peer.read()


async def main():
    subprotocols = None if "--no-subprotocol" in sys.argv else ["ocpp1.6"]
    async with websockets.serve(serve, "127.0.0.1", 0, subprotocols=subprotocols) as server:
        tell(port=server.sockets[0].getsockname()[1])
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            action, payload = json.loads(line)
            try:
                await peers[-1].call(action, payload)
            except RuntimeError as error:
                tell(failed=str(error))


asyncio.run(main())

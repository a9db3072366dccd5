"""One end of an OCPP-J connection as it is usually written in Python: compact JSON, times from
datetime.utcnow().isoformat(), one message after the other, CALLERRORs with the codes of later versions.

Every frame is also printed, as a line of JSON: {"sent": [...]} or {"received": [...]}.
"""

import asyncio
import json
import uuid
from datetime import datetime


def now():
    """The time in UTC, without saying so."""
    return datetime.utcnow().isoformat()


def tell(**what):
    print(json.dumps(what), flush=True)


class Peer:
    def __init__(self, websocket, handlers):
        self._websocket = websocket
        self._handlers = handlers
        self._answers = {}

    async def read(self):
        """Serves what arrives, until the connection ends."""
        async for text in self._websocket:
            frame = json.loads(text)
            tell(received=frame)
            if frame[0] == 2:
                await self._serve(*frame[1:])
            elif frame[1] in self._answers:
                self._answers.pop(frame[1]).set_result(frame)

    async def call(self, action, payload):
        """Sends a CALL and returns the payload of its CALLRESULT."""
        message_id = str(uuid.uuid4())
        answer = asyncio.get_running_loop().create_future()
        self._answers[message_id] = answer
        await self._send([2, message_id, action, payload])
        frame = await asyncio.wait_for(answer, timeout=15)
        if frame[0] == 4:
            raise RuntimeError(f"{action} was answered with {frame[2]}: {frame[3]}")
        return frame[2]

    async def _serve(self, message_id, action, payload):
        handler = self._handlers.get(action)
        if handler is None:
            details = {"cause": f"There is no handler for {action}."}
            await self._send([4, message_id, "NotImplemented", "Nobody serves this action", details])
            return
        try:
            answer = handler(payload)
        except (KeyError, TypeError, ValueError) as error:
            await self._send([4, message_id, "FormatViolation", "The payload is wrong", {"cause": str(error)}])
            return
        await self._send([3, message_id, answer])

    async def _send(self, frame):
        tell(sent=frame)
        await self._websocket.send(json.dumps(frame, separators=(",", ":")))

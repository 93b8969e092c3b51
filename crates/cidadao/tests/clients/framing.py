"""Runs the framing cases of the Autobahn TestSuite (PyPI) against a WebSocket at ADDRESS that is no echo: what it answers to a text stands
for the echo of that text. Prints what became of each case, as JSON.

    framing.py ws://127.0.0.1:8080/api/v1/ws

The suite is written for Python 2: its cases are read as text, put into Python 3, and driven by Autobahn's own client of today."""

import asyncio
import importlib.util
import json
import pathlib
import re
import struct
import sys
import types

from autobahn.asyncio.websocket import WebSocketClientFactory, WebSocketClientProtocol
from autobahn.websocket import utf8validator

# Framing, pings, reserved bits, opcodes, fragments, UTF-8, closing; those of binary messages are left out: messages are text here.
SECTIONS = re.compile(r"case[1-7]_")
BINARY = re.compile(r"Case1_2_")
AT_ONCE = 16


def text(value):
    """Bytes as Python 2 has them: one character each."""
    return value if isinstance(value, str) else bytes(value).decode("latin-1")


def raw(value):
    return value.encode("latin-1") if isinstance(value, str) else value


def in_python_3(source):
    source = re.sub(r"^(\s*)print (.*)$", r"\1print(\2)", source, flags=re.MULTILINE)
    return source.replace("(object, Case, )", "(Case, )").replace(".tostring()", ".tobytes().decode('latin-1')").replace("xrange", "range")


class Validator(utf8validator.Utf8Validator):
    def validate(self, data):
        return super().validate(raw(data))


def cases():
    """Every case, by its name."""
    folder = pathlib.Path(importlib.util.find_spec("autobahntestsuite").submodule_search_locations[0]) / "case"
    hexed = types.ModuleType("binascii")
    hexed.b2a_hex = lambda data: raw(data).hex()
    kept = sys.modules["binascii"], utf8validator.Utf8Validator
    found = {}

    def load(name):
        if name not in sys.modules or not hasattr(sys.modules[name], "is_loaded"):
            module = types.ModuleType(name)
            sys.modules[name] = module
            source = in_python_3((folder / f"{name}.py").read_text(encoding="latin-1"))
            for other in re.findall(r"^from (case\w*) import", source, flags=re.MULTILINE):
                load(other)
            exec(compile(source, f"{name}.py", "exec"), module.__dict__)
            module.is_loaded = True
        return sys.modules[name]

    sys.modules["binascii"], utf8validator.Utf8Validator = hexed, Validator
    case = load("case").Case
    case.compare = lambda self, one, other: plain(one) == plain(other)
    for file in sorted(folder.glob("case*.py")):
        if SECTIONS.match(file.name):
            values = [value for held in vars(load(file.stem)).values() for value in (held if isinstance(held, list) else [held])]
            found |= {value.__name__: value for value in values if isinstance(value, type) and issubclass(value, case) and value is not case}
    sys.modules["binascii"], utf8validator.Utf8Validator = kept
    return {name: kind for name, kind in found.items() if hasattr(kind, "DESCRIPTION") and re.fullmatch(r"Case\d+(_\d+)+", name)}


def plain(events):
    return [tuple(text(part) if isinstance(part, (str, bytes, bytearray)) else part for part in event) for event in events]


class Sent:
    """The data messages in what was sent, whatever the frames."""

    def __init__(self):
        self.bytes, self.parts, self.whole = b"", None, []

    def feed(self, data):
        self.bytes += data
        while len(self.bytes) >= 2:
            first, length, at = self.bytes[0], self.bytes[1] & 127, 2
            if length > 125:
                form, at = ("!H", 4) if length == 126 else ("!Q", 10)
                if len(self.bytes) < at:
                    return
                (length,) = struct.unpack(form, self.bytes[2:at])
            mask, at = self.bytes[at : at + 4], at + 4 * (self.bytes[1] >> 7)
            if len(self.bytes) < at + length:
                return
            body = self.bytes[at : at + length]
            if self.bytes[1] >> 7:
                body = bytes(byte ^ mask[n % 4] for n, byte in enumerate(body))
            self.bytes = self.bytes[at + length :]
            if first & 15 == 1:
                self.parts = [body]
            elif first & 15 == 0 and self.parts is not None:
                self.parts.append(body)
            else:
                continue
            if first & 128:
                self.whole.append(b"".join(self.parts))
                self.parts = None


class Client(WebSocketClientProtocol):
    """What the cases call, as the suite's own client has it."""

    createWirelog, trafficStats = False, None

    def __init__(self, kind, done):
        super().__init__()
        self.sent, self.done, self.connectionWasOpen, self.txFrameStats = Sent(), done, False, {}
        self.case = kind(self)

    def enableWirelog(self, enable):
        pass

    def continueLater(self, delay, function, tag=None):
        asyncio.get_running_loop().call_later(delay, lambda: self.state != self.STATE_CLOSED and function())

    def killAfter(self, delay):
        self.continueLater(delay, lambda: self._fail_connection())

    def closeAfter(self, delay):
        self.continueLater(delay, self.sendClose)

    def sendData(self, data, sync=False, chopsize=None):
        if self.state == self.STATE_OPEN:
            self.sent.feed(data)
        super().sendData(data, sync, chopsize)

    def sendFrame(self, opcode, payload=b"", **more):
        super().sendFrame(opcode, raw(payload), **more)

    def sendMessage(self, payload, isBinary=False, *more, **named):
        super().sendMessage(raw(payload), isBinary, *more, **named)

    def sendMessageFrameData(self, payload, sync=False):
        return super().sendMessageFrameData(raw(payload), sync)

    def sendCloseFrame(self, code=None, reasonUtf8=None, reason=None, isReply=False):
        super().sendCloseFrame(code, raw(reasonUtf8 if reasonUtf8 is not None else reason), isReply)

    def onOpen(self):
        self.connectionWasOpen = True
        self.case.onOpen()

    def onMessage(self, payload, isBinary):
        answer = json.loads(payload)
        assert answer["type"] == "error" and answer["error"]["type"] == "/problems/invalid-parameter", answer
        self.case.onMessage(self.sent.whole.pop(0), False)

    def onPing(self, payload):
        super().onPing(payload)
        self.case.onPing(payload)

    def onPong(self, payload):
        self.case.onPong(payload)

    def onClose(self, clean, code, reason):
        super().onClose(clean, code, reason)
        self.case.onClose(clean, code, reason)
        self.case.onConnectionLost(self.failedByMe)
        if not self.done.done():
            self.done.set_result(self.case)


async def run(name, kind, address, places):
    async with places:
        loop, done = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()
        factory = WebSocketClientFactory(address)
        factory.setProtocolOptions(failByDrop=False)
        factory.protocol = lambda: Client(kind, done)
        await loop.create_connection(factory, factory.host, factory.port)
        try:
            case = await asyncio.wait_for(done, 20)
        except TimeoutError:
            return name, ["NOT ENDED", "NOT ENDED", None]
        return name, [case.behavior, case.behaviorClose, case.p.remoteCloseCode]


async def main(address):
    places = asyncio.Semaphore(AT_ONCE)
    chosen = {name: kind for name, kind in cases().items() if not BINARY.match(name)}
    print(json.dumps(dict(await asyncio.gather(*(run(name, kind, address, places) for name, kind in chosen.items())))))


asyncio.run(main(sys.argv[1]))

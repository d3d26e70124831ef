#!/usr/bin/env python3
"""A USB camera for the kernel's own driver: UVC 1.0, MJPEG, over a bulk endpoint, plugged in by vhci_hcd.

    usb_camera.py FOLDER SERIAL [PORT]

sends the JPEGs of FOLDER, in the order of their names, again and again. It is unplugged when the program ends, by
whatever. It has an automatic and an absolute exposure, a gain and a mains frequency as controls. Needs root and the
module vhci-hcd. The protocols are those of the kernel's Documentation/usb/usbip_protocol.rst and of the USB Video Class 1.0.
"""

import os
import socket
import struct
import sys
import threading
import time
from pathlib import Path

ATTACH = Path("/sys/devices/platform/vhci_hcd.0/attach")
HIGH_SPEED = 3
PAYLOAD = 16384  # Of one transfer; the driver takes no larger one of 32 packets.
SIZES = [(1280, 720), (640, 360)]
INTERVALS = [666666, 333333]  # 100 ns for one frame: 15 and 30 frames a second
GET_CUR, GET_MIN, GET_MAX, GET_RES, GET_LEN, GET_INFO, GET_DEF, SET_CUR = 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 1
# (unit, selector): format, least, most, step, default
CONTROLS = {
    (1, 2): ["<B", 1, 8, 9, 8],  # automatic exposure: manual (1) or by aperture (8); the step says which there are
    (1, 4): ["<I", 1, 5000, 1, 156],  # absolute exposure
    (2, 4): ["<H", 0, 255, 1, 64],  # gain
    (2, 5): ["<B", 0, 2, 1, 2],  # mains frequency
}


def descriptor(kind, *parts):
    body = b"".join(parts)
    return struct.pack("<BB", len(body) + 2, kind) + body


def configuration():
    control = [
        descriptor(0x24, b"\x02", struct.pack("<BHBBHHHB", 1, 0x0201, 0, 0, 0, 0, 0, 3), (0b1010).to_bytes(3, "little")),
        descriptor(0x24, b"\x05", struct.pack("<BBHB", 2, 1, 0, 2), struct.pack("<H", 0x0600), b"\x00"),
        descriptor(0x24, b"\x03", struct.pack("<BHBBB", 3, 0x0101, 0, 2, 0)),
    ]
    total = 13 + sum(map(len, control))
    control.insert(0, descriptor(0x24, b"\x01", struct.pack("<HHIBB", 0x0100, total, 48_000_000, 1, 1)))
    frames = [
        descriptor(0x24, b"\x07", struct.pack("<BBHHIIIIB", n, 0, w, h, w * h * 80, w * h * 240, w * h * 2,
                                              INTERVALS[0], len(INTERVALS)),
                   struct.pack(f"<{len(INTERVALS)}I", *sorted(INTERVALS)))
        for n, (w, h) in enumerate(SIZES, 1)
    ]
    stream = [descriptor(0x24, b"\x06", struct.pack("<BBBBBBBB", 1, len(SIZES), 1, 1, 0, 0, 0, 0)), *frames]
    total = 14 + sum(map(len, stream))
    stream.insert(0, descriptor(0x24, b"\x01", struct.pack("<BHBBBBBBBB", 1, total, 0x81, 0, 3, 0, 0, 0, 1, 0)))
    body = [
        descriptor(0x0B, struct.pack("<BBBBBB", 0, 2, 0x0E, 3, 0, 0)),
        descriptor(0x04, struct.pack("<BBBBBBB", 0, 0, 0, 0x0E, 1, 0, 0)), *control,
        descriptor(0x04, struct.pack("<BBBBBBB", 1, 0, 1, 0x0E, 2, 0, 0)), *stream,
        descriptor(0x05, struct.pack("<BBHB", 0x81, 2, 512, 0)),
    ]
    total = 9 + sum(map(len, body))
    return descriptor(0x02, struct.pack("<HBBBBB", total, 2, 1, 0, 0x80, 250)) + b"".join(body)


DEVICE = descriptor(0x01, struct.pack("<HBBBBHHHBBBB", 0x0200, 0xEF, 2, 1, 64, 0x1209, 0x0001, 0x0100, 1, 2, 3, 1))


class Camera:
    def __init__(self, folder, serial):
        self.frames = [path.read_bytes() for path in sorted(Path(folder).glob("*.jpg"))]
        self.strings = {1: "plated tests", 2: "Emulated Camera", 3: serial}
        self.values = {key: control[4] for key, control in CONTROLS.items()}
        self.size, self.interval, self.streams = 1, INTERVALS[0], False
        self.pending, self.lock = [], threading.Condition()

    def probe(self):
        width, height = SIZES[self.size - 1]
        return struct.pack("<HBBIHHHHHII", 1, 1, self.size, self.interval, 0, 0, 0, 0, 0, width * height * 2, PAYLOAD)

    def control(self, setup, data):
        """The answer to a request, or None to refuse it."""
        kind, request, value, index, length = struct.unpack("<BBHHH", setup)
        if kind == 0x80 and request == 6:
            what = {0x01: DEVICE, 0x02: configuration()}.get(value >> 8)
            if value >> 8 == 0x03:
                text = self.strings.get(value & 0xFF)
                what = descriptor(3, struct.pack("<H", 0x0409) if value & 0xFF == 0 else text.encode("utf-16-le"))
            return what and what[:length]
        if kind == 0x80 and request == 0:
            return b"\0\0"
        if kind in (0x00, 0x01, 0x02):
            if request == 11 or kind == 2:
                self.stop()
            return b""
        if kind & 0x60 != 0x20:
            return None
        unit, selector = index >> 8, value >> 8
        if index & 0xFF == 1:
            return self.negotiate(request, selector, data, length)
        control = CONTROLS.get((unit, selector))
        if control is None:
            return None
        form, least, most, step, default = control
        if request == SET_CUR:
            self.values[unit, selector] = struct.unpack(form, data)[0]
            return b""
        if request == GET_INFO:
            return b"\x03"
        if request == GET_LEN:
            return struct.pack("<H", struct.calcsize(form))
        answers = {GET_CUR: self.values[unit, selector], GET_MIN: least, GET_MAX: most, GET_RES: step, GET_DEF: default}
        return struct.pack(form, answers[request])

    def negotiate(self, request, selector, data, length):
        if selector not in (1, 2):
            return None
        if request == SET_CUR:
            self.size = min(max(data[3], 1), len(SIZES))
            wanted = struct.unpack_from("<I", data, 4)[0]
            self.interval = min(INTERVALS, key=lambda one: abs(one - wanted))
            if selector == 2:
                self.start()
            return b""
        if request == GET_INFO:
            return b"\x03"
        return struct.pack("<H", 26) if request == GET_LEN else self.probe()[:length]

    def start(self):
        with self.lock:
            self.streams = True
            self.lock.notify()

    def stop(self):
        with self.lock:
            self.streams = False


def receive(connection, count):
    got = bytearray()
    while len(got) < count:
        part = connection.recv(count - len(got))
        if not part:
            raise EOFError
        got += part
    return bytes(got)


def answer(connection, sending, number, status, data, sent=None):
    head = struct.pack(">IIIIIiiiiiQ", 3, number, 0, 0, 0, status, len(data) if sent is None else sent, 0, 0, 0, 0)
    with sending:
        connection.sendall(head + data)


def send_frames(camera, connection, sending):
    """Gives each transfer that the driver has asked for a part of a frame, at the pace of the camera."""
    parity, number, due = 0, 0, time.monotonic()
    while True:
        with camera.lock:
            while not (camera.streams and camera.pending):
                camera.lock.wait()
                due = max(due, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))
        due = max(due + camera.interval / 1e7, time.monotonic() - 0.5)
        frame = camera.frames[number % len(camera.frames)]
        for at in range(0, len(frame), PAYLOAD - 2):
            part = frame[at:at + PAYLOAD - 2]
            end = at + len(part) == len(frame)
            with camera.lock:
                while camera.streams and not camera.pending:
                    camera.lock.wait(0.1)
                if not camera.streams:
                    break
                transfer = camera.pending.pop(0)
            answer(connection, sending, transfer, 0, struct.pack("BB", 2, 0x80 | (end << 1) | parity) + part)
            if end and len(part) == PAYLOAD - 2:
                break  # A full transfer ends a payload by its size.
        parity, number = parity ^ 1, number + 1


def serve(camera, connection):
    sending = threading.Lock()
    threading.Thread(target=send_frames, args=(camera, connection, sending), daemon=True).start()
    while True:
        head = receive(connection, 48)
        command, number, _, direction, endpoint = struct.unpack_from(">IIIII", head)
        if command == 2:
            unlinked = struct.unpack_from(">I", head, 20)[0]
            with camera.lock:
                was_there = unlinked in camera.pending
                if was_there:
                    camera.pending.remove(unlinked)
            with sending:
                connection.sendall(struct.pack(">IIIIIi24x", 4, number, 0, 0, 0, -104 if was_there else 0))
            continue
        length = struct.unpack_from(">i", head, 24)[0]
        data = receive(connection, length) if direction == 0 and length > 0 else b""
        if endpoint == 1:
            with camera.lock:
                camera.pending.append(number)
                camera.lock.notify()
            continue
        reply = camera.control(head[40:48], data)
        if reply is None:
            answer(connection, sending, number, -32, b"")
        else:
            answer(connection, sending, number, 0, reply if direction else b"", len(data) if not direction else None)


def main():
    folder, serial = sys.argv[1:3]
    port = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    ours, kernels = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    ATTACH.write_text(f"{port} {kernels.fileno()} {0x10001 + port} {HIGH_SPEED}")
    kernels.close()
    try:
        serve(Camera(folder, serial), ours)
    except EOFError:
        pass


main()

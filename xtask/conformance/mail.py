"""A mail server that takes everything and keeps nothing: test mail and welcome mail need one to go to."""

import socketserver
import threading


class Session(socketserver.StreamRequestHandler):
    """One client."""

    def handle(self):
        """Says yes to everything until the client quits."""
        self.say("220 conformance ESMTP")
        for line in self.rfile:
            word = line.split(b" ", 1)[0].strip().upper()
            if word == b"DATA":
                self.say("354 go on")
                for text in self.rfile:
                    if text.strip() == b".":
                        break
                self.say("250 taken")
            elif word == b"EHLO":
                self.say("250-conformance\r\n250 8BITMIME")
            elif word == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 yes")

    def say(self, line):
        """Answers."""
        self.wfile.write(f"{line}\r\n".encode())


class Server(socketserver.ThreadingTCPServer):
    """On a free port of this machine."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Session)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

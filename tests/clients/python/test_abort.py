"""A client that goes away takes its upstream connection with it."""

import asyncio
import threading
import time

import openai
from support import GatewayTest, MESSAGES, client


class Abort(GatewayTest):
    def leave(self, marker, model, chunks):
        stream = self.client.chat.completions.create(model=model, messages=MESSAGES, stream=True,
                                                     extra_body=marker.extra)
        for _ in range(chunks):
            next(stream)
        since = time.monotonic()
        stream.close()
        return since

    def test_while_text_flows(self):
        self.assert_closes_in_time(lambda marker: self.leave(marker, "slow-stream", 5))

    def test_while_the_upstream_is_silent(self):
        self.assert_closes_in_time(lambda marker: self.leave(marker, "stall", 3))

    def test_by_leaving_the_loop(self):
        def leave(marker):
            with self.client.chat.completions.create(model="slow-stream", messages=MESSAGES, stream=True,
                                                     extra_body=marker.extra) as stream:
                for _ in stream:
                    break
                return time.monotonic()

        self.assert_closes_in_time(leave)

    def test_before_the_answer(self):
        def leave(marker):
            async def ask():
                async with client(openai.AsyncOpenAI) as one:
                    call = asyncio.ensure_future(one.chat.completions.create(
                        model="hang", messages=MESSAGES, extra_body=marker.extra))
                    await asyncio.to_thread(marker.wait_for_request)
                    since = time.monotonic()
                    call.cancel()
                    await asyncio.gather(call, return_exceptions=True)
                    return since

            return asyncio.run(ask())

        self.assert_closes_in_time(leave)

    def test_when_the_clients_time_is_up(self):
        def leave(marker):
            with client(timeout=0.2) as hasty:
                begun = time.monotonic()
                with self.assertRaises(openai.APITimeoutError):
                    # The SDK tells how long it waits, and the gateway would give up first where it is the quicker one.
                    hasty.chat.completions.create(model="hang", messages=MESSAGES, extra_body=marker.extra,
                                                  extra_headers={"x-stainless-timeout": "60"})
            return begun + 0.2

        self.assert_closes_in_time(leave)

    def test_others_go_on(self):
        texts = []
        other = threading.Thread(target=lambda: texts.append("".join(
            chunk.choices[0].delta.content or "" for chunk in self.stream("slow-stream"))))
        other.start()
        self.marker.wait_for_request()
        with client() as leaver:
            stream = leaver.chat.completions.create(model="stall", messages=MESSAGES, stream=True)
            next(stream)
            stream.close()
        other.join(20)
        self.assertEqual(texts, ["".join(f"word{i} " for i in range(20))])

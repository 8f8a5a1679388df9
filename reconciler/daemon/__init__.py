"""The long-running process.  Started by the verb `run`.

    signals ──▶ main thread (process) ◀── clock (APScheduler): "look, because …", heartbeat
                   │  ▲
          look, config  ended, dead
                   ▼  │
               passes (a thread of its own) ──▶ workers

The main thread never makes a call to AWS, so that it hears every signal at once; the passes run one after the other in
one thread; the scheduler's jobs last microseconds.
"""

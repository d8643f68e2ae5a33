"""Worker: the machine's rate of float32 matrix multiplication, operations a second, best of ten."""

import time

from measure import NUM_THREADS, serve

import awl_vae.system.quiet_tensorflow  # noqa: F401

SIDE = 2048
REPEATS = 10


def main():
    import tensorflow as tf

    from awl_vae.training.runtime import set_up

    set_up(NUM_THREADS)
    matrix = tf.random.normal((SIDE, SIDE), seed=1)
    multiply = tf.function(lambda a: a @ a)

    def work():
        best = float("inf")
        for _ in range(REPEATS):
            start = time.perf_counter()
            multiply(matrix)
            best = min(best, time.perf_counter() - start)
        return 2 * SIDE**3 / best

    serve(work)


if __name__ == "__main__":
    main()

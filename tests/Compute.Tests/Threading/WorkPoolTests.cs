using Concertina.Compute.Threading;

namespace Concertina.Compute.Tests.Threading;

public sealed class WorkPoolTests
{
    public static TheoryData<int> ThreadCounts => [1, 2, 3, 4, 8];

    [Theory]
    [MemberData(nameof(ThreadCounts))]
    public void Every_chunk_runs_exactly_once_in_every_run(int threads)
    {
        using WorkPool pool = new(threads);
        foreach (int chunks in (int[])[0, 1, 2, 3, 7, 64, 1000])
        {
            for (int repeat = 0; repeat < 20; repeat++)
            {
                CountingJob job = new(chunks, threads);
                pool.Run(job, chunks);
                Assert.All(job.Runs, runs => Assert.Equal(1, runs));
                Assert.False(job.WorkerOutOfRange);
            }
        }
    }

    [Theory]
    [MemberData(nameof(ThreadCounts))]
    public void Effects_of_all_chunks_are_visible_when_the_run_returns(int threads)
    {
        // Plain, unsynchronised writes: a run that returned early, or a chunk of the next run claimed late, would show.
        using WorkPool pool = new(threads);
        StampJob job = new(37);
        for (int run = 1; run <= 20_000; run++)
        {
            job.Stamp = run;
            pool.Run(job, 37);
            foreach (int stamp in job.Stamps)
            {
                Assert.Equal(run, stamp);
            }
        }
    }

    [Fact]
    public void Threads_that_parked_take_part_again()
    {
        using WorkPool pool = new(2);
        using MeetingJob job = new();
        for (int run = 0; run < 5; run++)
        {
            // Both chunks must be in flight at once, so the parked thread has to wake up.
            Assert.True(SpinWait.SpinUntil(() => pool.ParkedWorkers == 1, TimeSpan.FromSeconds(30)));
            job.Reset();
            pool.Run(job, 2);
            Assert.True(job.Met);
        }
    }

    [Theory]
    [MemberData(nameof(ThreadCounts))]
    public void An_exception_of_a_chunk_reaches_the_caller_and_the_pool_stays_usable(int threads)
    {
        using WorkPool pool = new(threads);
        for (int repeat = 0; repeat < 50; repeat++)
        {
            InvalidDataException thrown = Assert.Throws<InvalidDataException>(() => pool.Run(new FailingJob(repeat % 10), 10));
            Assert.Equal($"chunk {repeat % 10}", thrown.Message);
            CountingJob after = new(16, threads);
            pool.Run(after, 16);
            Assert.All(after.Runs, runs => Assert.Equal(1, runs));
        }
    }

    [Fact]
    public void A_run_inside_a_chunk_is_refused()
    {
        using WorkPool pool = new(2);
        InvalidOperationException thrown = Assert.Throws<InvalidOperationException>(() => pool.Run(new NestedJob(pool), 1));
        Assert.Contains("neither nest nor overlap", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Runs_allocate_nothing()
    {
        using WorkPool pool = new(2);
        StampJob job = new(8);
        for (int i = 0; i < 200; i++)
        {
            pool.Run(job, 8);
        }
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            pool.Run(job, 8);
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void A_disposed_pool_refuses_work()
    {
        WorkPool pool = new(3);
        pool.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pool.Run(new StampJob(1), 1));
    }

    private sealed class CountingJob(int chunks, int threads) : IWorkJob
    {
        public int[] Runs { get; } = new int[chunks];

        public bool WorkerOutOfRange { get; private set; }

        public void Execute(int chunk, int worker)
        {
            Interlocked.Increment(ref Runs[chunk]);
            WorkerOutOfRange |= (uint)worker >= (uint)threads;
        }
    }

    private sealed class StampJob(int chunks) : IWorkJob
    {
        public int Stamp { get; set; }

        public int[] Stamps { get; } = new int[chunks];

        public void Execute(int chunk, int worker) => Stamps[chunk] = Stamp;
    }

    private sealed class MeetingJob : IWorkJob, IDisposable
    {
        private readonly Barrier _barrier = new(2);
        private int _met;

        public bool Met => _met == 2;

        public void Reset() => _met = 0;

        public void Dispose() => _barrier.Dispose();

        public void Execute(int chunk, int worker)
        {
            if (_barrier.SignalAndWait(TimeSpan.FromSeconds(30)))
            {
                Interlocked.Increment(ref _met);
            }
        }
    }

    private sealed class FailingJob(int failing) : IWorkJob
    {
        public void Execute(int chunk, int worker)
        {
            if (chunk == failing)
            {
                throw new InvalidDataException($"chunk {chunk}");
            }
        }
    }

    private sealed class NestedJob(WorkPool pool) : IWorkJob
    {
        public void Execute(int chunk, int worker) => pool.Run(this, 1);
    }
}

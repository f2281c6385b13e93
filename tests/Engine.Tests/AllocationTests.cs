using System.Runtime.CompilerServices;
using Concertina.Compute.Engine;
using Concertina.Engine.Tests.Kit;

namespace Concertina.Engine.Tests;

public sealed class AllocationTests
{
    [Fact]
    public async Task Steady_decoding_allocates_nothing_delivery_and_waiting_readers_included()
    {
        await using EngineBench bench = new(new EngineOptions { ReaderBufferTokens = 8 });
        bench.Runner.Records = bench.Runner.ReadsBack = false;
        Reader[] readers = [.. Enumerable.Range(0, 5).Select(i => new Reader(Submit(bench, i)))];
        RunSteps(bench, readers, 200); // prompts, first columns, compiled code

        long before = GC.GetAllocatedBytesForCurrentThread();
        RunSteps(bench, readers, 200);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(0, allocated);
        Assert.All(readers, reader => Assert.Equal(400, reader.Count));
        Assert.All(readers, reader => Assert.True(reader.Waited, "The reader was meant to wait."));
    }

    private static TokenStream Submit(EngineBench bench, int number)
    {
        SamplingSpec sampling = number % 2 == 0 ? SamplingSpec.Greedy : new SamplingSpec(1, 30, 0.9f, 0.01f, number);
        return EngineBench.Submit(bench.Open($"t{number % 2}"), bench.Spec(EngineBench.Prompt(3 + number, number), 600) with { Sampling = sampling });
    }

    // Every other step the readers wait first and are woken by the step; else they find their token.
    private static void RunSteps(EngineBench bench, Reader[] readers, int steps)
    {
        for (int step = 0; step < steps; step++)
        {
            foreach (Reader reader in readers)
            {
                reader.Begin(step);
            }
            bench.Engine.StepOnce();
            foreach (Reader reader in readers)
            {
                reader.End();
            }
        }
    }

    private sealed class Reader
    {
        private readonly TokenStream _stream;
        private readonly int[] _tokens = new int[4];
        private readonly Action _wake;
        private ValueTaskAwaiter<int> _read;
        private volatile bool _woken;
        private bool _waits;

        public Reader(TokenStream stream)
        {
            _stream = stream;
            _wake = () => _woken = true;
        }

        public int Count { get; private set; }

        public bool Waited { get; private set; }

        public void Begin(int step)
        {
            _waits = step % 2 == 0;
            if (_waits)
            {
                _woken = false;
#pragma warning disable CA2012 // awaited by hand and once, so that no state machine is allocated
                _read = _stream.ReadAsync(_tokens, CancellationToken.None).GetAwaiter();
#pragma warning restore CA2012
                Waited |= !_read.IsCompleted;
                _read.UnsafeOnCompleted(_wake);
            }
        }

        public void End()
        {
            int count;
            if (_waits)
            {
                SpinWait spin = default;
                while (!_woken)
                {
                    spin.SpinOnce();
                }
                count = _read.GetResult();
            }
            else
            {
                _stream.TryRead(_tokens, out count);
            }
            Count += count;
        }
    }
}

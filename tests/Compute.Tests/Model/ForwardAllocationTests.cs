using Concertina.Compute.KvCache;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Cpu;
using Concertina.Compute.Model.Weights;

namespace Concertina.Compute.Tests.Model;

/// <summary>Allocations of all threads are counted, so these tests run while no other does.</summary>
[Collection(Alone.Name)]
public sealed class ForwardAllocationTests
{
    [Theory]
    [InlineData("group 4")]
    [InlineData("group 4, dms")]
    public void A_step_allocates_nothing_on_any_thread(string shape)
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find(shape), TensorType.Q80, seed: 1);
        using Harness harness = new(model, new CpuRunnerOptions { MaxStepRows = 64, MaxLogitRows = 8, Threads = 2 });
        PageTable decoding = harness.NewTable();
        PageTable prefilling = harness.NewTable();
        Assert.True(harness.Cache.TryReserve(decoding, 300));
        Assert.True(harness.Cache.TryReserve(prefilling, 300));
        int[] chunk = new int[20];
        long worst = long.MaxValue;
        for (int step = 0; step < 14; step++)
        {
            harness.Batch.Clear();
            harness.Batch.Add(decoding, step, chunk.AsSpan(0, 1), 1);
            harness.Batch.Add(prefilling, step * chunk.Length, chunk, 1);
            // All threads are counted, the test runner's too; a step that allocates does so every time, so the least counts.
            long before = GC.GetTotalAllocatedBytes(precise: true);
            long ours = GC.GetAllocatedBytesForCurrentThread();
            harness.Runner.Forward(harness.Batch);
            long thread = GC.GetAllocatedBytesForCurrentThread() - ours;
            long total = GC.GetTotalAllocatedBytes(precise: true) - before;
            if (step >= 4)
            {
                Assert.Equal(0, thread);
                worst = Math.Min(worst, total);
            }
        }
        Assert.Equal(0, worst);
    }
}

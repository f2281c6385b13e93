using Concertina.Compute.Engine;
using Concertina.Compute.Store;
using Concertina.Engine.Tests.Kit;

namespace Concertina.Engine.Tests.Spill;

/// <summary>A large session comes back in slices between the steps of others; until it is whole nothing of it counts, and all of it can go.</summary>
public sealed class RestoreSliceTests : IDisposable
{
    private const int SliceBytes = 1 << 16;
    private const int Tokens = 1_902;
    private static readonly EngineOptions Sliced = new() { UrgentSliceBytes = SliceBytes, SpillBufferBytes = 1 << 17 };
    private readonly PageFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Streams_go_on_while_a_large_session_is_woken_a_slice_a_step()
    {
        await using EngineBench bench = New();
        SequenceHandle handle = SpillLarge(bench);
        TokenStream other = bench.Submit(EngineBench.Prompt(20, seed: 2), 400, tenant: "other");
        bench.Steps(2);
        EngineBench.Read(other);
        int[] next = [.. handle.CopyTokens(), 1];

        TokenStream stream = EngineBench.Submit(handle, bench.Spec(next, 5));
        int slices = 0;
        while (bench.Engine.Snapshot.RestoredSequences == 0)
        {
            long before = bench.Engine.Snapshot.GeneratedTokens;
            bench.Step();
            Assert.InRange(bench.Engine.Wakes.CopiedBytes, 0, SliceBytes);
            Assert.InRange(bench.Engine.Desk!.BufferedBytes, 0, bench.Engine.Desk.ReserveBytes);
            Assert.True(bench.Engine.Snapshot.GeneratedTokens > before, "The other stream stood still.");
            slices += bench.Engine.Wakes.CopiedBytes > 0 ? 1 : 0;
            EngineBench.Read(other);
        }

        Assert.InRange(slices, 5, 1000);
        Assert.Equal(HashModel.Greedy(next, 5), bench.Finish(stream));
        Assert.Equal(Tokens - 1, stream.CachedTokens);
        Assert.Equal(0, bench.Engine.Desk!.BufferedBytes);
    }

    [Fact]
    public async Task A_request_that_is_cancelled_half_way_gives_every_byte_back()
    {
        await using EngineBench bench = New();
        SequenceHandle handle = SpillLarge(bench);
        (long units, long bytes) = (bench.Cache.Statistics().LiveUnits, bench.Cache.UsedBytes);
        TokenStream stream = EngineBench.Submit(handle, bench.Spec([.. handle.CopyTokens(), 1], 5));
        WaitForHalf(bench);

        stream.Cancel();
        bench.Steps(3);

        Assert.Equal(FinishKind.Cancelled, stream.End!.Kind);
        Assert.Equal((units, bytes, 0L), (bench.Cache.Statistics().LiveUnits, bench.Cache.UsedBytes, bench.Engine.Desk!.BufferedBytes));
        int[] next = [.. handle.CopyTokens(), 1];
        TokenStream again = EngineBench.Submit(handle, bench.Spec(next, 5));
        Assert.Equal(HashModel.Greedy(next, 5), bench.Finish(again));
        Assert.Equal(Tokens - 1, again.CachedTokens);
    }

    [Fact]
    public async Task A_session_closed_half_way_gives_every_byte_back()
    {
        await using EngineBench bench = New();
        SequenceHandle handle = SpillLarge(bench);
        long bytes = bench.Cache.UsedBytes;
        EngineBench.Submit(handle, bench.Spec([.. handle.CopyTokens(), 1], 5));
        WaitForHalf(bench);

        bench.Close(handle);
        bench.Steps(2);

        Assert.Equal((bytes, 0L), (bench.Cache.UsedBytes, bench.Engine.Desk!.BufferedBytes));
    }

    [Fact]
    public async Task A_file_damaged_after_it_was_checked_is_told_and_nothing_of_it_stays()
    {
        await using EngineBench bench = New();
        SequenceHandle handle = SpillLarge(bench);
        int[] next = [.. handle.CopyTokens(), 1];
        TokenStream stream = EngineBench.Submit(handle, bench.Spec(next, 5));
        WaitForHalf(bench);
        string path = _folder.FileOf("tenant/s");
        using (FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            file.Position = file.Length - 2_000; // of the last records
            file.Write(new byte[100]);
        }

        Assert.Equal(HashModel.Greedy(next, 5), bench.Finish(stream));

        Assert.Equal(0, stream.CachedTokens);
        Assert.Equal([SessionFileFault.Damaged], _folder.Faults);
        Assert.Equal((0L, 0L), (bench.Engine.Snapshot.RestoredSequences, bench.Engine.Desk!.BufferedBytes));
    }

    [Fact]
    public async Task What_is_being_restored_gives_way_to_what_others_were_promised()
    {
        // So large that what budgets round up to is small beside it; too large for tokens to be compared, because 16 bits hold the
        // runner's positions up to 2,048.
        const int many = 19_000;
        await using EngineBench bench = New(columns: 310, contextLength: many + 500);
        SequenceHandle handle = SpillLarge(bench, tokens: many);
        int[] next = [.. handle.CopyTokens(), 1];
        TokenStream stream = EngineBench.Submit(handle, bench.Spec(next, 5));
        WaitForHalf(bench, slices: 50);
        // There is room for one of the two: the other is promised it before the first is whole.
        int[] prompt = EngineBench.Prompt(many, seed: 7);
        TokenStream other = bench.Submit(prompt, 20, tenant: "other");

        Assert.Equal(20, bench.Finish(other).Length);
        Assert.Equal(5, bench.Finish(stream).Length);
        Assert.Equal((1L, 0L), (bench.Engine.Snapshot.RestoredSequences, bench.Engine.Desk!.BufferedBytes));
    }

    [Fact]
    public async Task One_that_fits_no_more_beside_what_was_admitted_since_keeps_no_other_asleep()
    {
        const int many = 19_000;
        await using EngineBench bench = New(columns: 310, contextLength: many + 500);
        SequenceHandle large = SpillLarge(bench, tokens: many);
        SequenceHandle small = SpillTests.Kept(bench, "small");
        bench.Finish(EngineBench.Submit(small, bench.Spec(EngineBench.Prompt(200, seed: 2), 2)));
        bench.Time.Advance(SpillTests.Idle);
        bench.Steps(20);
        Assert.Equal(2, bench.Engine.Snapshot.SpilledSequences);
        EngineBench.Submit(large, bench.Spec([.. large.CopyTokens(), 1], 5));
        WaitForHalf(bench, slices: 50);
        bench.Submit(EngineBench.Prompt(many, seed: 7), 20, tenant: "other");
        bench.Step();
        Assert.Equal(1, bench.Engine.Snapshot.Running);

        EngineBench.Submit(small, bench.Spec([.. small.CopyTokens(), 1], 5));
        bench.Steps(10);

        Assert.Equal(1, bench.Engine.Snapshot.RestoredSequences);
    }

    [Fact]
    public async Task The_reserve_is_part_of_the_budget_and_copies_never_exceed_it()
    {
        await using EngineBench bench = New();
        await using EngineBench without = new(Sliced, columns: 200, contextLength: 2_000);

        Assert.Equal(2 * (1 << 17), bench.Engine.Snapshot.SpillReserveBytes);
        Assert.Equal(0, without.Engine.Snapshot.SpillReserveBytes);
        Assert.Equal(
            bench.Cache.BudgetBytes - bench.Cache.CommittableBytes - bench.Engine.Snapshot.SpillReserveBytes,
            without.Cache.BudgetBytes - without.Cache.CommittableBytes, tolerance: 1 << 16);
        SpillLarge(bench, () => Assert.InRange(bench.Engine.Snapshot.SpillBufferedBytes, 0, bench.Engine.Snapshot.SpillReserveBytes / 2));
    }

    private EngineBench New(int columns = 200, int contextLength = 2_000) => new(Sliced, columns, contextLength, pages: _folder.Open());

    private static SequenceHandle SpillLarge(EngineBench bench, Action? check = null, int tokens = Tokens)
    {
        SequenceHandle handle = SpillTests.Kept(bench);
        bench.Finish(EngineBench.Submit(handle, bench.Spec(EngineBench.Prompt(tokens - 2, seed: 1), 2)));
        bench.Time.Advance(SpillTests.Idle);
        for (int step = 0; step < 1_000 && bench.Engine.Snapshot.SpilledSequences == 0; step++)
        {
            bench.Step();
            check?.Invoke();
        }
        bench.Cache.DropUnreferenced(long.MaxValue);
        Assert.Equal((1L, 0L), (bench.Engine.Snapshot.SpilledSequences, handle.KvBytes));
        return handle;
    }

    private static void WaitForHalf(EngineBench bench, int slices = 4)
    {
        long bytes = bench.Cache.UsedBytes;
        for (int step = 0; step < 1_000 && bench.Cache.UsedBytes < bytes + (slices * SliceBytes); step++)
        {
            bench.Step();
        }
        Assert.InRange(bench.Cache.UsedBytes, bytes + (slices * SliceBytes), bytes + ((slices + 4) * SliceBytes));
        Assert.Equal(0, bench.Engine.Snapshot.RestoredSequences);
    }
}

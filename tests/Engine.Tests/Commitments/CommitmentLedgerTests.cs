using Concertina.Compute.Allocation;
using Concertina.Compute.Engine;
using Concertina.Compute.Engine.Scheduling;
using Concertina.Compute.KvCache;

namespace Concertina.Engine.Tests.Commitments;

public sealed class CommitmentLedgerTests
{
    private const int CapacityBytes = 100;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Whatever_was_promised_everybody_can_still_finish(int seed)
    {
        Random random = new(seed);
        for (int round = 0; round < 200; round++)
        {
            CommitmentLedger ledger = new(CapacityBytes, maxRuns: 8);
            for (int action = 0; action < 60; action++)
            {
                Act(ledger, random);
                ledger.Check();
            }
            FinishAll(ledger);
        }
    }

    private static void Act(CommitmentLedger ledger, Random random)
    {
        Run? run = ledger.Runs.Count == 0 ? null : ledger.Runs[random.Next(ledger.Runs.Count)];
        switch (random.Next(6))
        {
            case 0 or 1:
                Run added = NewRun(random.Next(1, CapacityBytes + 1), random);
                if (ledger.CanAdmit(added))
                {
                    ledger.Admit(added);
                }
                break;
            case 2 when run is not null && run.HeldBytes == run.Bounds.FullBytes:
                ledger.Release(run);
                break;
            default:
                _ = run is not null && TryGrow(ledger, run, random.Next(1, 20));
                break;
        }
    }

    /// <summary>Nobody is released before it holds all it needs; so a deadlock would show.</summary>
    private static void FinishAll(CommitmentLedger ledger)
    {
        while (ledger.Runs.Count > 0)
        {
            Run? done = ledger.Runs.FirstOrDefault(run => run.HeldBytes == run.Bounds.FullBytes);
            Assert.True(done is not null || ledger.Runs.Any(run => TryGrow(ledger, run, 1)), "Nobody can grow and nobody can finish.");
            if (done is not null)
            {
                ledger.Release(done);
            }
            ledger.Check();
        }
        Assert.Equal(0, ledger.SumBytes);
    }

    private static bool TryGrow(CommitmentLedger ledger, Run run, int bytes)
    {
        long wanted = Math.Min(run.HeldBytes + bytes, run.Bounds.FullBytes);
        return wanted > run.HeldBytes && ledger.TryExtend(run, (int)wanted, wanted);
    }

    private static Run NewRun(int fullBytes, Random random)
    {
        int first = random.Next(1, fullBytes + 1);
        GenerationSpec spec = new() { RequestId = "r", Prompt = new int[1] };
        Sequence sequence = new(new SequenceIdentity("t/s", "t", PrefixScope.For("t", null)), new PlanLadder([new PlanRung { Name = "f16", BytesPerToken = 1, Distortion = 0 }], 0, new PlanOptions()));
        return new Run(sequence, spec, new TokenStream(spec, 1, _ => { }, () => { }))
        {
            Bounds = new RunBounds(fullBytes, fullBytes, first, first, EndsAtBudget: false),
            SubmittedAt = 0,
        };
    }
}

using Concertina.Compute.Engine.Scheduling;

namespace Concertina.Compute.Engine.Elastic;

/// <summary>A sequence as the plan must know it, read from any thread.</summary>
internal static class SequenceReport
{
    public static SequenceSnapshot Of(Sequence sequence, EngineLadder ladder, CommitmentTable commitments) => new(
        sequence.Identity.Key, sequence.WarmTokens, sequence.KvBytes, sequence.Running, ladder[sequence.Rung].Name)
    {
        Target = ladder[sequence.Target].Name,
        Floor = ladder[sequence.PublishedFloor].Name,
        Weight = sequence.PublishedWeight,
        MayRise = sequence.MayRise,
        Exact = sequence.Exact,
        LosslessBytes = sequence.Rung == 0 ? sequence.KvBytes : commitments.Bytes(sequence.WarmTokens, rung: 0),
    };
}

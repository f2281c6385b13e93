using Concertina.Compute.Allocation;
using Concertina.Contracts.Budget;

namespace Concertina.Grains.Budget;

/// <summary>The ladder of a worker, made of its report, with the plan over it.</summary>
internal sealed class WorkerCurve
{
    private readonly Dictionary<string, int> _indices;

    /// <exception cref="ArgumentException">The report has figures that no ladder has; the message names them.</exception>
    public WorkerCurve(KvCurve curve)
    {
        PlanLadder ladder = new(
            [
                .. curve.Rungs.Select(rung => new PlanRung
                {
                    Name = rung.Rung,
                    BytesPerToken = rung.BytesPerToken,
                    Distortion = rung.Distortion,
                    AttendRatio = rung.AttendRatio,
                    EncodeSecondsPerToken = rung.EncodeSecondsPerToken,
                    Sources = rung.Sources,
                }),
            ], curve.ExactTokens, new PlanOptions());
        Ladder = ladder;
        Plan = new RungPlan(ladder);
        _indices = curve.Rungs.Index().ToDictionary(rung => rung.Item.Rung, rung => rung.Index, StringComparer.Ordinal);
    }

    public PlanLadder Ladder { get; }

    public RungPlan Plan { get; }

    /// <summary>Index of a rung; one that is not on the ladder counts as lossless.</summary>
    public int IndexOf(string? rung) => rung is not null && _indices.TryGetValue(rung, out int index) ? index : 0;

    /// <summary>The wire's form of a ladder.</summary>
    public static KvCurve Message(PlanLadder ladder) => new(
        [
            .. ladder.Rungs.Select(rung => new KvCurvePoint(
                rung.Name, rung.BytesPerToken, rung.Distortion, rung.AttendRatio, rung.EncodeSecondsPerToken, rung.Sources)),
        ], ladder.ExactTokens);
}

using System.Text.Json.Serialization;
using Concertina.Contracts.Workers;

namespace Concertina.Gateway.Wire;

/// <summary>The rungs of one model, as <c>GET /v1/kv/ladder</c> shows them.</summary>
/// <param name="Model">Name of the model.</param>
/// <param name="Data">Lossless first.</param>
internal sealed record LadderList(string Model, LadderList.Rung[] Data)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; } = "list";

    public static LadderList Of(string model, KvLadder ladder) => new(
        model,
        [
            .. ladder.Rungs.Select(rung => new Rung(rung.Name, rung.Bits, rung.Ratio, rung.BytesPerToken)
            {
                MeanKl = rung.MeanKl,
                P99Kl = rung.P99Kl,
                Recall = rung.Recall,
            }),
        ]);

    /// <summary>All members are always present; a measure is null where this model has none.</summary>
    internal sealed record Rung(string Name, double Bits, double Ratio, long BytesPerToken)
    {
        [JsonPropertyOrder(-1)]
        public string Object { get; } = "kv.rung";

        public double? MeanKl { get; init; }

        public double? P99Kl { get; init; }

        public double? Recall { get; init; }
    }
}

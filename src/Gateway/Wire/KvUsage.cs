using Concertina.Contracts.Sessions;

namespace Concertina.Gateway.Wire;

/// <summary>The KV cache a request ran on: facts of its end; the distortion alone is a prediction.</summary>
/// <param name="Rung">Deepest rung any unit was on.</param>
/// <param name="Bytes">Physical bytes the sequence held at its end.</param>
/// <param name="Exact">True while every column it attended to was exact.</param>
/// <param name="Waits">Steps it waited in place for memory.</param>
internal sealed record KvUsage(string Rung, long Bytes, bool Exact, int Waits)
{
    private const int Digits = 4;

    /// <summary>Bits per stored value over all its units, to four digits.</summary>
    public required double Bits { get; init; }

    /// <summary>Bytes its tokens would take losslessly, divided by <see cref="Bytes"/>, to four digits.</summary>
    public required double Ratio { get; init; }

    /// <summary>True when a unit was on a rung below lossless.</summary>
    public required bool Lossy { get; init; }

    /// <summary>Predicted mean divergence from lossless, in nats per token; 0 when lossless, null when the rung has no measure.</summary>
    public required double? Distortion { get; init; }

    /// <summary>Units transcoded for it while it ran.</summary>
    public required long Transcodes { get; init; }

    public static KvUsage Of(FinishFacts facts) => new(facts.Rung, facts.KvBytes, facts.Exact, facts.Waits)
    {
        Bits = Math.Round(facts.Bits, Digits),
        Ratio = Math.Round(facts.Ratio, Digits),
        Lossy = facts.Rung is not ("f16" or "f32") || facts.Transcodes > 0,
        Distortion = facts.Distortion,
        Transcodes = facts.Transcodes,
    };
}

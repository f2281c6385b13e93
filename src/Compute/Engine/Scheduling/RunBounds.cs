namespace Concertina.Compute.Engine.Scheduling;

/// <summary>How long a run may get and what that takes; fixed at its submit.</summary>
/// <param name="TokenLimit">Most tokens of the sequence, prompt included.</param>
/// <param name="FullBytes">Commitment that covers them all: with it the run needs nobody else to finish.</param>
/// <param name="FirstTokens">Tokens covered at admission.</param>
/// <param name="FirstBytes">Commitment at admission.</param>
/// <param name="EndsAtBudget">True when the limit is what the whole budget can hold, not what the request or the context allows.</param>
internal readonly record struct RunBounds(int TokenLimit, long FullBytes, int FirstTokens, long FirstBytes, bool EndsAtBudget)
{
    /// <summary>Rung it is on from the start; 0: lossless.</summary>
    public int Rung { get; init; }

    /// <summary>Deepest rung it allows: its floor, on which its commitment is counted.</summary>
    public int DeepestRung { get; init; }
}

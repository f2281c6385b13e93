namespace Concertina.Compute.Engine;

/// <summary>Why a smaller KV budget is not reached yet.</summary>
public enum KvBudgetHold
{
    /// <summary>It is reached.</summary>
    None,

    /// <summary>Running sequences are promised more than it can keep; it is approached as they end.</summary>
    Commitments,

    /// <summary>Sessions are being squeezed and memory is given back, a slice each step.</summary>
    Squeezing,
}

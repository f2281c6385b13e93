using Concertina.Compute.Engine.Scheduling;

namespace Concertina.Engine.Tests.Simulation;

/// <summary>One simulated session: what an engine would know of it, in bytes of the curve instead of units.</summary>
internal sealed class SimSession(long id)
{
    public long Id { get; } = id;

    /// <summary>Tokens with units.</summary>
    public int Tokens { get; set; }

    /// <summary>Rung its units are on.</summary>
    public int Rung { get; set; }

    /// <summary>Rung it is to move to.</summary>
    public int Assigned { get; set; }

    public int Floor { get; set; }

    /// <summary>On its floor from the start, and never let out.</summary>
    public bool Economy { get; init; }

    public double Weight { get; init; }

    /// <summary>What it holds.</summary>
    public long Bytes { get; set; }

    /// <summary>What a second copy holds while it is recomputed; 0: none is.</summary>
    public long CopyBytes { get; set; }

    /// <summary>Tokens still to recompute.</summary>
    public int CopyLeft { get; set; }

    /// <summary>What it is promised; null while it is idle.</summary>
    public Run? Run { get; set; }

    /// <summary>Prompt tokens of the turn that waits or runs, those it holds included.</summary>
    public int PromptTokens { get; set; }

    public int IdleSince { get; set; }

    /// <summary>When it comes back or ends.</summary>
    public int Due { get; set; }

    public int TurnsLeft { get; set; }

    /// <summary>Ticks in which it waited for memory one after the other.</summary>
    public int Waits { get; set; }

    /// <summary>Its units are gone.</summary>
    public bool Gone { get; set; }

    /// <summary>It is in its worker's list.</summary>
    public bool Listed { get; set; }
}

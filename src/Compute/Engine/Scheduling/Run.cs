using Concertina.Compute.Engine.Spill;
using Concertina.Compute.KvCache;

namespace Concertina.Compute.Engine.Scheduling;

/// <summary>One generation in the engine, from its submit to its end: plain data, engine thread only.</summary>
internal sealed class Run(Sequence sequence, GenerationSpec spec, TokenStream stream)
{
    public Sequence Sequence { get; } = sequence;

    public GenerationSpec Spec { get; } = spec;

    public TokenStream Stream { get; } = stream;

    /// <summary>What the run may hold and how long it may get; fixed once it is admitted.</summary>
    public required RunBounds Bounds { get; set; }

    /// <summary>When it was submitted.</summary>
    public required long SubmittedAt { get; init; }

    public RunState State { get; set; } = RunState.Queued;

    /// <summary>Places in the waiting lists, or null.</summary>
    public LinkedListNode<Run>? TenantPlace { get; set; }

    public LinkedListNode<Run>? ArrivalPlace { get; set; }

    /// <summary>How often another request was admitted when it was this one's turn.</summary>
    public int Bypasses { get; set; }

    /// <summary>How often a request of a higher priority was admitted when it was this one's turn.</summary>
    public int Overtakes { get; set; }

    public TenantClock Tenant { get; set; } = TenantClock.None;

    /// <summary>Bytes it is promised now; 0 while it is queued.</summary>
    public long HeldBytes { get; set; }

    /// <summary>Tokens that the promise covers.</summary>
    public int HeldTokens { get; set; }

    /// <summary>Tokens sampled, a stop token included.</summary>
    public int Generated { get; set; }

    /// <summary>Prompt tokens that were not reused and are not computed yet.</summary>
    public int PromptLeft { get; set; }

    /// <summary>Most tokens its table will hold when the step that was filled last is done.</summary>
    public int ComputedTokens { get; set; }

    /// <summary>Full columns already offered to the prefix cache.</summary>
    public int PublishedColumns { get; set; }

    /// <summary>Step in which it last had rows.</summary>
    public long LastStep { get; set; }

    /// <summary>Steps it waited for memory.</summary>
    public int Waits { get; set; }

    /// <summary>True while its prompt may not go on before columns behind the recent window are squeezed.</summary>
    public bool WaitsForSqueeze { get; set; }

    /// <summary>True while it waits for a promise, which bytes that come free do not give.</summary>
    public bool WaitsForPromise { get; set; }

    /// <summary>What its sequence's page file gives; null: there is none, or it is known and taken.</summary>
    public WakeJob? Wake { get; set; }

    /// <summary>Units of its table that had been transcoded when it began.</summary>
    public long TranscodedBefore { get; set; }

    /// <summary>Deepest rung it was on before its cache was computed anew; 0: it never was.</summary>
    public int DeepestRung { get; set; }

    /// <summary>Since when it waits for memory, or null.</summary>
    public long? WaitingSince { get; set; }

    /// <summary>Since when its reader's ring is full, or null.</summary>
    public long? BlockedSince { get; set; }

    /// <summary>When its last token was sampled, or null.</summary>
    public long? LastTokenAt { get; set; }

    /// <summary>Next of the same tenant while a step is being filled.</summary>
    public Run? NextCandidate { get; set; }

    public PageTable Table => Sequence.Table!;

    /// <summary>Tokens without K and V: 1 in decode, the rest of the prompt in prefill.</summary>
    public int Pending => Sequence.Tokens.Count - Table.TokenCount;

    public bool Decodes => Generated > 0;
}

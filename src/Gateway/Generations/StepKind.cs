namespace Concertina.Gateway.Generations;

/// <summary>Kinds of <see cref="GenerationStep"/>.</summary>
internal enum StepKind
{
    /// <summary>Nothing came for the keep-alive time; the generation goes on.</summary>
    Silence,

    /// <summary>Engine output came; its text may still be held back.</summary>
    Text,

    /// <summary>The last text and how it ended.</summary>
    End,

    /// <summary>It failed or was refused; nothing follows.</summary>
    Failed,

    /// <summary>The client is gone; nothing follows.</summary>
    Gone,
}

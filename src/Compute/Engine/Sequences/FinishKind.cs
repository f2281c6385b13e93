namespace Concertina.Compute.Engine;

/// <summary>How a generation ended.</summary>
public enum FinishKind
{
    /// <summary>A stop token.</summary>
    Stop,

    /// <summary>The token limit or the context's end.</summary>
    Length,

    /// <summary>Cancelled by its reader or caller.</summary>
    Cancelled,

    /// <summary>Failed; <see cref="GenerationEnd.ErrorCode"/> says where.</summary>
    Error,
}

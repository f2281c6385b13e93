namespace Concertina.Gateway.Http;

/// <summary>A refusal or failure as the client sees it.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Type">OpenAI's error type.</param>
/// <param name="Code">Stable code.</param>
/// <param name="Message">What failed, the values with units, what to do.</param>
internal sealed record ApiError(int Status, string Type, string Code, string Message)
{
    /// <summary>The field of the request at fault, or null.</summary>
    public string? Param { get; init; }

    /// <summary>Milliseconds after which a retry can pass; null: no such time is known.</summary>
    public int? RetryAfterMs { get; init; }

    /// <summary>False where official clients would retry by status although it cannot help.</summary>
    public bool RetryHelps { get; init; } = true;
}

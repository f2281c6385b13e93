namespace Concertina.Gateway.Http;

/// <summary>A value, or the error the client gets instead.</summary>
internal readonly record struct Outcome<T>(T? Value, ApiError? Error)
    where T : class
{
    public static implicit operator Outcome<T>(T value) => new(value, null);

    public static implicit operator Outcome<T>(ApiError error) => new(null, error);

    /// <summary>True with the value, false with the error.</summary>
    public bool Is([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out T? value, [System.Diagnostics.CodeAnalysis.NotNullWhen(false)] out ApiError? error)
    {
        (value, error) = (Value, Error);
        return value is not null;
    }
}

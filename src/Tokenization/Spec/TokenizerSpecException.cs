namespace Concertina.Tokenization;

/// <summary>A tokenizer description that cannot be used. The message names the field, the values and what to do.</summary>
public sealed class TokenizerSpecException : Exception
{
    /// <summary>An error in <paramref name="field"/> of a tokenizer description.</summary>
    public TokenizerSpecException(string field, string problem, Exception? inner = null)
        : base($"Tokenizer description, field '{field}': {problem}", inner) => Field = field;

    /// <summary>The JSON name of the field at fault, or "document" where the JSON itself is broken.</summary>
    public string Field { get; }
}

namespace Concertina.Tokenization;

/// <summary>Encodes text that holds no special tokens: what lies between them.</summary>
internal interface IFragmentEncoder
{
    /// <summary>Appends the ids of one stretch of text.</summary>
    /// <param name="text">Text between two special tokens.</param>
    /// <param name="place">What stands before it.</param>
    /// <param name="sink">Receives the ids.</param>
    void Encode(ReadOnlySpan<char> text, FragmentPlace place, ref TokenSink sink);
}

/// <summary>What stands before a stretch of text.</summary>
internal enum FragmentPlace
{
    /// <summary>Nothing but a begin id: the text starts here.</summary>
    Start,

    /// <summary>A special token taken out of the text.</summary>
    AfterSpecial,
}

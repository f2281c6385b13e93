using System.Buffers;

namespace Concertina.Tokenization;

/// <summary>Turns text into token ids and token ids into bytes. Safe to use from many threads at once.</summary>
public interface ITokenizer
{
    /// <summary>Number of ids; every id is at least 0 and below it.</summary>
    int VocabularySize { get; }

    /// <summary>The id that starts a text, or null where the model has none.</summary>
    int? BosId { get; }

    /// <summary>The ids that end a generation: end of text and end of turn, without repetition, ascending.</summary>
    IReadOnlyList<int> EosIds { get; }

    /// <summary>Whether <paramref name="id"/> is a control token: it has a meaning for the model and no text for a reader.
    /// The begin, end and end-of-turn ids are, whatever type the file gives them.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The id is not of this vocabulary.</exception>
    bool IsControl(int id);

    /// <summary>The bytes a token stands for; they may be a part of a UTF-8 character. Control tokens give their name.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The id is not of this vocabulary.</exception>
    ReadOnlySpan<byte> TokenBytes(int id);

    /// <summary>Appends the ids of <paramref name="text"/> to <paramref name="output"/>.</summary>
    /// <param name="text">Any text; lone surrogates count as U+FFFD, and so do characters of which the vocabulary
    /// has neither the bytes nor an unknown token.</param>
    /// <param name="addSpecial">Adds the begin and end ids the model was trained with.</param>
    /// <param name="parseSpecial">Whether the names of control tokens and of the chat's marks inside the text become
    /// those tokens. With false, no control id comes out of the text: use it for everything that a user wrote. Marks are
    /// user-defined tokens that the chat template writes or that begin with <c>&lt;|</c>; all other user-defined tokens
    /// (runs of spaces, tags) are taken whole in any text.</param>
    /// <param name="output">Receives the ids.</param>
    void Encode(ReadOnlySpan<char> text, bool addSpecial, bool parseSpecial, IBufferWriter<int> output);

    /// <summary>Appends the ids of a rendered chat. Names of control tokens and marks count only where the template
    /// wrote them, so a message cannot end its own turn. Without such names in the messages, the ids are those of
    /// <see cref="Encode"/> over the whole text with <c>parseSpecial</c>.</summary>
    /// <param name="chat">What <see cref="ChatTemplate.Render"/> gave.</param>
    /// <param name="addSpecial">Adds the begin id the model was trained with, unless the template already wrote it.
    /// An end id is never added: the chat goes on.</param>
    /// <param name="output">Receives the ids.</param>
    void EncodeChat(RenderedChat chat, bool addSpecial, IBufferWriter<int> output);

    /// <summary>The text of <paramref name="ids"/>; bytes that are not UTF-8 become U+FFFD.</summary>
    /// <param name="ids">Token ids of this vocabulary.</param>
    /// <param name="skipSpecial">Leaves control tokens out.</param>
    /// <exception cref="ArgumentOutOfRangeException">An id is not of this vocabulary.</exception>
    string Decode(ReadOnlySpan<int> ids, bool skipSpecial);
}

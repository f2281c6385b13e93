using Concertina.Tokenization.Jinja.Syntax;

namespace Concertina.Tokenization.Jinja;

/// <summary>The state of one rendering: what it may still use, and the clock.</summary>
internal sealed class Rendering(ChatTemplateOptions options, TimeProvider clock)
{
    private int _steps;
    private int _depth;
    private long _textUnits;

    public TimeProvider Clock { get; } = clock;

    /// <summary>The part of the template that was begun last.</summary>
    public Place Place { get; private set; } = new(1, 1);

    /// <summary>Counts one evaluation.</summary>
    public void Step(Place place)
    {
        Place = place;
        if (++_steps > options.MaxSteps)
        {
            throw place.Error($"stopped after {options.MaxSteps:N0} steps (ChatTemplateOptions.MaxSteps).");
        }
    }

    public void Enter(Place place)
    {
        if (++_depth > options.MaxDepth * 4)
        {
            throw place.Error($"nested deeper than {options.MaxDepth * 4} evaluations (4 x ChatTemplateOptions.MaxDepth).");
        }
    }

    public void Leave() => _depth--;

    /// <summary>Counts one value that is about to be written, compared or passed over inside an evaluation.</summary>
    /// <exception cref="FormatException">Too many.</exception>
    public void Visit()
    {
        if (++_steps > options.MaxSteps)
        {
            throw new FormatException($"stopped after {options.MaxSteps:N0} steps (ChatTemplateOptions.MaxSteps)");
        }
    }

    /// <summary>Counts text that is about to be built or read through.</summary>
    /// <exception cref="FormatException">Too much.</exception>
    public void Count(long textUnits)
    {
        if (textUnits > options.MaxTextUnits - _textUnits)
        {
            throw new FormatException(
                $"built or read more than {options.MaxTextUnits:N0} characters of text (ChatTemplateOptions.MaxTextUnits)");
        }

        _textUnits += textUnits;
    }

    /// <summary>Counts a search, which in the worst case compares the part at every place.</summary>
    /// <exception cref="FormatException">Too much.</exception>
    public void CountSearch(int textUnits, int partUnits) =>
        Count(textUnits + (Math.Max(0L, (long)textUnits - partUnits) * (partUnits / 64)));

    /// <summary>Counts list items about to be made.</summary>
    /// <exception cref="FormatException">Too many.</exception>
    public void CountItems(long items)
    {
        if (items > options.MaxSteps - _steps)
        {
            throw new FormatException($"a list of {items:N0} items passes the {options.MaxSteps:N0} steps allowed (ChatTemplateOptions.MaxSteps)");
        }

        _steps += (int)items;
    }
}
